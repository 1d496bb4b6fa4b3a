#include "engine/refusal.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace jobrunner::engine {
namespace {

constexpr char kReasonUrl[] = "jobrunner/reason";

}  // namespace

absl::Status Refuse(absl::StatusCode code, std::string_view reason, std::string_view message) {
  absl::Status status(code, absl::string_view(message.data(), message.size()));
  status.SetPayload(kReasonUrl, absl::Cord(absl::string_view(reason.data(), reason.size())));
  return status;
}

absl::Status NoSuchBatch(std::string_view batch_id) {
  return Refuse(absl::StatusCode::kNotFound, "BATCH_NOT_FOUND",
                absl::StrCat("there is no batch \"", std::string(batch_id),
                             "\": it has been removed, or was never there"));
}

std::string ReasonOf(const absl::Status& status) {
  if (auto reason = status.GetPayload(kReasonUrl)) return std::string(*reason);
  return absl::StatusCodeToString(status.code());
}

}  // namespace jobrunner::engine
