#include "rpc/worker_rules.h"

#include "absl/strings/str_cat.h"
#include "engine/field_rules.h"
#include "engine/limits.h"
#include "rpc/assignment_id.h"
#include "rpc/status.h"

namespace jobrunner::rpc {
namespace {

using engine::FieldPath;
using engine::Violations;

void CheckHandlers(const FieldPath& hello, const v1::WorkerHello& message,
                   const absl::flat_hash_set<std::string>& own_handlers, Violations* violations) {
  const int count = message.handlers_size();
  if (count == 0) {
    violations->Add(FieldPath(hello, "handlers"), "is empty: a worker offers one at least");
  } else if (count > engine::kWorkerHandlersMax) {
    violations->Add(FieldPath(hello, "handlers"),
                    absl::StrCat("has ", count, " handlers, at most ", engine::kWorkerHandlersMax,
                                 " are allowed"));
    return;
  }
  for (int i = 0; i < count; ++i) {
    const FieldPath path(hello, "handlers", i);
    const std::string& name = message.handlers(i);
    if (name.empty()) violations->Add(path, "is empty");
    engine::CheckName(path, name, engine::kNameBytesMax, violations);
    if (own_handlers.contains(name)) {
      violations->Add(path, absl::StrCat("the server has \"", name, "\" itself"));
    }
  }
}

void CheckLabels(const FieldPath& hello, const v1::WorkerHello& message, Violations* violations) {
  if (message.labels_size() > engine::kLabelsMax) {
    violations->Add(FieldPath(hello, "labels"),
                    absl::StrCat("has ", message.labels_size(), " labels, at most ",
                                 engine::kLabelsMax, " are allowed"));
    return;
  }
  for (const auto& [key, value] : message.labels()) {
    const FieldPath label(hello, "labels", std::string_view(key));
    engine::CheckName(label, key, engine::kLabelKeyBytesMax, violations);
    engine::CheckName(label, value, engine::kLabelValueBytesMax, violations);
  }
}

// One that is unknown is sent back, so that its length matters.
void CheckId(const FieldPath& path, const std::string& id, Violations* violations) {
  engine::CheckLength(path, id, AssignmentId::kBytesMax, violations);
}

absl::Status CheckIds(std::string_view field,
                      const google::protobuf::RepeatedPtrField<std::string>& ids) {
  Violations violations;
  const FieldPath path(field);
  for (int i = 0; i < ids.size(); ++i) {
    CheckId(FieldPath(path, "assignment_ids", i), ids[i], &violations);
  }
  return ToStatus(violations);
}

}  // namespace

absl::Status CheckHello(const v1::WorkerHello& hello,
                        const absl::flat_hash_set<std::string>& own_handlers) {
  Violations violations;
  const FieldPath path("hello");
  if (hello.name().empty()) violations.Add(FieldPath(path, "name"), "is empty");
  engine::CheckName(FieldPath(path, "name"), hello.name(), engine::kNameBytesMax, &violations);
  CheckHandlers(path, hello, own_handlers, &violations);
  engine::CheckRange(FieldPath(path, "slots"), hello.slots(), 0, engine::kWorkerSlotsMax,
                     &violations);
  CheckLabels(path, hello, &violations);
  engine::CheckName(FieldPath(path, "sdk"), hello.sdk(), engine::kNameBytesMax, &violations);
  return ToStatus(violations);
}

absl::Status CheckSlots(const v1::WorkerSlots& slots) {
  Violations violations;
  engine::CheckRange(FieldPath(FieldPath("slots"), "slots"), slots.slots(), 0,
                     engine::kWorkerSlotsMax, &violations);
  return ToStatus(violations);
}

absl::Status CheckLeaseAnswer(const v1::LeaseAnswer& answer) {
  return CheckIds("lease_answer", answer.assignment_ids());
}

absl::Status CheckLeave(const v1::WorkerLeave& leave) {
  return CheckIds("leave.held", leave.held().assignment_ids());
}

absl::Status CheckOutcomes(const v1::AttemptOutcomes& outcomes) {
  Violations violations;
  const FieldPath message("outcomes");
  for (int i = 0; i < outcomes.outcomes_size(); ++i) {
    const v1::AttemptOutcome& outcome = outcomes.outcomes(i);
    const FieldPath path(message, "outcomes", i);
    CheckId(FieldPath(path, "assignment_id"), outcome.assignment_id(), &violations);
    if (outcome.has_run_time()) {
      engine::CheckNotNegative(FieldPath(path, "run_time"), outcome.run_time(), &violations);
    }
  }
  return ToStatus(violations);
}

}  // namespace jobrunner::rpc
