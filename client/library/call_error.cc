#include "client/library/call_error.h"

#include <grpcpp/support/status.h>

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/library/safe_text.h"
#include "google/rpc/error_details.pb.h"

namespace jobrunner::client {
namespace {

constexpr char kCallError[] = "jobrunner/call_error";
constexpr char kRetryInfo[] = "type.googleapis.com/google.rpc.RetryInfo";

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
  for (const auto& detail : details.details()) {
    error.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return error;
}

absl::Status WithMessage(const absl::Status& status, absl::StatusCode code,
                         const std::string& message) {
  absl::Status changed(code, message);
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { changed.SetPayload(url, payload); });
  return changed;
}

bool IsCallError(const absl::Status& status) { return status.GetPayload(kCallError).has_value(); }

absl::Duration RetryDelay(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryInfo);
  google::rpc::RetryInfo info;
  if (!payload || !info.ParseFromString(std::string(*payload))) return absl::InfiniteDuration();
  return absl::Seconds(info.retry_delay().seconds()) +
         absl::Nanoseconds(info.retry_delay().nanos());
}

bool MayRetryCall(const absl::Status& status) {
  if (!IsCallError(status)) return false;
  if (absl::IsUnavailable(status) || absl::IsCancelled(status)) return true;
  return absl::IsResourceExhausted(status) && RetryDelay(status) < absl::InfiniteDuration();
}

}  // namespace jobrunner::client
