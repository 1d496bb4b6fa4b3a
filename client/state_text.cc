#include "client/state_text.h"

#include <google/protobuf/descriptor.h>

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/library/safe_text.h"

namespace jobrunner::client {
namespace {

using google::protobuf::EnumDescriptor;

// "JOB_STATE_QUEUED" without what "JOB_STATE_UNSPECIFIED" shows to be the prefix, in lower case.
std::string ShortName(const EnumDescriptor& type, int number) {
  const auto* value = type.FindValueByNumber(number);
  if (value == nullptr) return absl::StrCat("unknown (", number, ")");
  const std::string unspecified = type.value(0)->name();
  const size_t prefix = unspecified.size() - std::string("UNSPECIFIED").size();
  return absl::AsciiStrToLower(value->name().substr(prefix));
}

std::string Words(const EnumDescriptor& type, int number) {
  return absl::StrReplaceAll(ShortName(type, number), {{"_", " "}});
}

absl::StatusOr<int> Parse(const EnumDescriptor& type, const std::string& text) {
  std::vector<std::string> names;
  const std::string wanted =
      absl::StrReplaceAll(absl::AsciiStrToLower(text), {{"-", "_"}, {" ", "_"}});
  for (int i = 1; i < type.value_count(); ++i) {
    names.push_back(ShortName(type, type.value(i)->number()));
    if (names.back() == wanted) return type.value(i)->number();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", SafeText(text), "\" is none of ", absl::StrJoin(names, ", ")));
}

template <typename Enum>
absl::StatusOr<Enum> ParseAs(const EnumDescriptor& type, const std::string& text) {
  const auto number = Parse(type, text);
  if (!number.ok()) return number.status();
  return static_cast<Enum>(*number);
}

}  // namespace

std::string StateName(v1::BatchState state) { return Words(*v1::BatchState_descriptor(), state); }
std::string StateName(v1::JobState state) { return Words(*v1::JobState_descriptor(), state); }
std::string ReasonName(v1::Reason reason) { return Words(*v1::Reason_descriptor(), reason); }

std::string WaitName(v1::WaitReason reason) {
  switch (reason) {
    case v1::WAIT_REASON_WORKER:
      return "a free worker";
    case v1::WAIT_REASON_DELAY:
      return "its delay";
    case v1::WAIT_REASON_BACKOFF:
      return "its backoff";
    case v1::WAIT_REASON_MAX_PARALLELISM:
      return "others of its batch (max_parallelism)";
    case v1::WAIT_REASON_QUEUE_LIMIT:
      return "others of its queue (max_running)";
    case v1::WAIT_REASON_QUEUE_PAUSED:
      return "its queue, which is paused";
    case v1::WAIT_REASON_DRAINING:
      return "the next server: this one is draining";
    case v1::WAIT_REASON_NO_WORKER:
      return "a worker that offers its handler";
    default:
      // Of a later server.
      return Words(*v1::WaitReason_descriptor(), reason);
  }
}

absl::StatusOr<v1::BatchState> ParseBatchState(const std::string& text) {
  return ParseAs<v1::BatchState>(*v1::BatchState_descriptor(), text);
}

absl::StatusOr<v1::JobState> ParseJobState(const std::string& text) {
  return ParseAs<v1::JobState>(*v1::JobState_descriptor(), text);
}

absl::StatusOr<v1::EventKind> ParseEventKind(const std::string& text) {
  return ParseAs<v1::EventKind>(*v1::EventKind_descriptor(), text);
}

absl::StatusOr<v1::FailurePolicy> ParseFailurePolicy(const std::string& text) {
  return ParseAs<v1::FailurePolicy>(*v1::FailurePolicy_descriptor(), text);
}

}  // namespace jobrunner::client
