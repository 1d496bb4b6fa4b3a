#include "client/call_error.h"

#include <grpcpp/support/status.h>

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/duration_text.h"
#include "client/safe_text.h"
#include "google/rpc/error_details.pb.h"

namespace jobrunner::client {
namespace {

constexpr char kCallError[] = "jobrunner/call_error";
constexpr char kRetryDelay[] = "jobrunner/retry_delay";

// The messages of servers say which field; what they repeat from the details is not shown twice.
void AddViolations(const google::rpc::BadRequest& bad_request, std::string* message) {
  for (const auto& violation : bad_request.field_violations()) {
    const std::string field = SafeText(violation.field());
    if (absl::StrContains(*message, field)) continue;
    absl::StrAppend(message, "\n  ", field, ": ", SafeText(violation.description()));
  }
}

void AddMetadata(const google::rpc::ErrorInfo& info, std::string* message) {
  for (const auto& [name, value] : info.metadata()) {
    if (absl::StrContains(*message, value)) continue;
    absl::StrAppend(message, "\n  ", SafeText(name), ": ", SafeText(value));
  }
}

void AddRetry(const google::rpc::RetryInfo& info, absl::Status* status) {
  const absl::Duration delay = FromProto(info.retry_delay());
  status->SetPayload(kRetryDelay, absl::Cord(absl::FormatDuration(delay)));
}

google::rpc::Status Details(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) details.Clear();
  return details;
}

std::string Message(const grpc::Status& status, const google::rpc::Status& details) {
  std::string message = SafeText(status.error_message());
  google::rpc::BadRequest bad_request;
  google::rpc::ErrorInfo info;
  for (const auto& detail : details.details()) {
    if (detail.UnpackTo(&bad_request)) AddViolations(bad_request, &message);
    if (detail.UnpackTo(&info)) AddMetadata(info, &message);
  }
  return message;
}

}  // namespace

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const google::rpc::Status details = Details(status);
  absl::Status error(static_cast<absl::StatusCode>(status.error_code()), Message(status, details));
  error.SetPayload(kCallError, absl::Cord());
  google::rpc::RetryInfo retry;
  for (const auto& detail : details.details()) {
    if (detail.UnpackTo(&retry)) AddRetry(retry, &error);
  }
  return error;
}

absl::Status WithMessage(const absl::Status& status, const std::string& message) {
  absl::Status changed(status.code(), message);
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { changed.SetPayload(url, payload); });
  return changed;
}

bool IsCallError(const absl::Status& status) { return status.GetPayload(kCallError).has_value(); }

absl::Duration RetryDelay(const absl::Status& status) {
  const auto text = status.GetPayload(kRetryDelay);
  absl::Duration delay;
  if (!text || !absl::ParseDuration(std::string(*text), &delay)) return absl::InfiniteDuration();
  return delay;
}

bool MayRetryCall(const absl::Status& status) {
  if (absl::IsUnavailable(status)) return true;
  return absl::IsResourceExhausted(status) && RetryDelay(status) < absl::InfiniteDuration();
}

}  // namespace jobrunner::client
