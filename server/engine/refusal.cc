#include "engine/refusal.h"

#include "absl/strings/cord.h"

namespace jobrunner::engine {
namespace {

constexpr char kReasonUrl[] = "jobrunner/reason";

}  // namespace

absl::Status Refuse(absl::StatusCode code, std::string_view reason, std::string_view message) {
  absl::Status status(code, absl::string_view(message.data(), message.size()));
  status.SetPayload(kReasonUrl, absl::Cord(absl::string_view(reason.data(), reason.size())));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  if (auto reason = status.GetPayload(kReasonUrl)) return std::string(*reason);
  return absl::StatusCodeToString(status.code());
}

}  // namespace jobrunner::engine
