#include "rpc/worker_rules.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/field_rules.h"
#include "engine/job_rules.h"
#include "engine/limits.h"
#include "rpc/assignment_id.h"
#include "rpc/status.h"

namespace jobrunner::rpc {
namespace {

using engine::FieldPath;
using engine::Violations;

void CheckHandlers(const FieldPath& hello, const v1::WorkerHello& message,
                   const absl::flat_hash_set<std::string>& own_handlers, Violations* violations) {
  const int count = message.handlers_size() + message.pools_size();
  if (count == 0) {
    violations->Add(FieldPath(hello, "handlers"),
                    "is empty, as pools is: a worker offers something");
  } else if (count > engine::kWorkerHandlersMax) {
    violations->Add(FieldPath(hello, "handlers"),
                    absl::StrCat("are, with its pools, ", count, ", at most ",
                                 engine::kWorkerHandlersMax, " are allowed"));
    return;
  }
  for (int i = 0; i < message.handlers_size(); ++i) {
    const FieldPath path(hello, "handlers", i);
    engine::CheckHandlerName(path, message.handlers(i), violations);
    if (own_handlers.contains(message.handlers(i))) {
      violations->Add(path, absl::StrCat("the server has \"", message.handlers(i), "\" itself"));
    }
  }
}

void CheckPools(const FieldPath& hello, const v1::WorkerHello& message, Violations* violations) {
  const int count = std::min(message.pools_size(), engine::kWorkerHandlersMax);
  for (int i = 0; i < count; ++i) {
    const FieldPath path(hello, "pools", i);
    if (message.pools(i).empty()) violations->Add(path, "is empty");
    engine::CheckName(path, message.pools(i), engine::kPoolNameBytesMax, violations);
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

void CheckCommandEnd(const FieldPath& outcome, const v1::CommandEnd& command,
                     Violations* violations) {
  const FieldPath path(outcome, "command");
  engine::CheckLength(FieldPath(path, "error_output"), command.error_output(),
                      engine::kOutputBytesMax, violations);
  const std::pair<const char*, int64_t> numbers[] = {
      {"output_bytes", command.output_bytes()},
      {"error_output_bytes", command.error_output_bytes()},
      {"output_omitted", command.output_omitted()},
      {"error_output_omitted", command.error_output_omitted()}};
  for (const auto& [name, number] : numbers) {
    if (number < 0) violations->Add(FieldPath(path, name), "is negative");
  }
  engine::CheckNotNegative(FieldPath(path, "usage.user_time"), command.usage().user_time(),
                           violations);
  engine::CheckNotNegative(FieldPath(path, "usage.system_time"), command.usage().system_time(),
                           violations);
}

}  // namespace

absl::Status CheckHello(const v1::WorkerHello& hello,
                        const absl::flat_hash_set<std::string>& own_handlers) {
  Violations violations;
  const FieldPath path("hello");
  if (hello.name().empty()) violations.Add(FieldPath(path, "name"), "is empty");
  engine::CheckName(FieldPath(path, "name"), hello.name(), engine::kNameBytesMax, &violations);
  CheckHandlers(path, hello, own_handlers, &violations);
  CheckPools(path, hello, &violations);
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
    if (outcome.has_command()) CheckCommandEnd(path, outcome.command(), &violations);
    if (outcome.has_run_time()) {
      engine::CheckNotNegative(FieldPath(path, "run_time"), outcome.run_time(), &violations);
    }
  }
  return ToStatus(violations);
}

}  // namespace jobrunner::rpc
