#include "rpc/status.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/refusal.h"
#include "google/rpc/error_details.pb.h"

namespace jobrunner::rpc {
namespace {

constexpr char kDomain[] = "jobrunner";
constexpr char kViolationsUrl[] = "jobrunner/violations";
constexpr char kMetadataUrl[] = "jobrunner/metadata/";
// When to come again; a client that backs off goes on from here.
constexpr int64_t kRetryDelaySeconds = 1;
// The message stands in the details and, where it is not ASCII with three bytes for one, beside
// them.
constexpr size_t kMessageBytesMax = 700;

using engine::CutText;
using google::rpc::BadRequest;

std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

absl::Status WithViolations(absl::StatusCode code, std::string_view message,
                            const BadRequest& violations) {
  absl::Status status(code, absl::string_view(message.data(), message.size()));
  status.SetPayload(kViolationsUrl, absl::Cord(violations.SerializeAsString()));
  return status;
}

void AddViolation(std::string_view field, std::string_view description, BadRequest* request) {
  auto* violation = request->add_field_violations();
  violation->set_field(std::string(field));
  violation->set_description(std::string(description));
}

bool IsPathCharacter(char c) {
  return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '[' || c == ']' || c == '"';
}

bool IsPath(std::string_view text) {
  return !text.empty() && absl::ascii_islower(text.front()) &&
         std::all_of(text.begin(), text.end(), IsPathCharacter);
}

// What is wrong with which fields: as it was said, else as the message has it.
BadRequest ViolationsOf(const absl::Status& status) {
  BadRequest violations;
  if (const auto payload = status.GetPayload(kViolationsUrl)) {
    violations.ParseFromString(std::string(*payload));
    return violations;
  }
  if (!absl::IsInvalidArgument(status) && !absl::IsPermissionDenied(status)) return violations;
  const std::string_view message = MessageOf(status);
  const size_t colon = message.find(": ");
  if (colon != std::string_view::npos && IsPath(message.substr(0, colon))) {
    AddViolation(CutText(message.substr(0, colon), engine::Violations::kFieldBytesMax),
                 CutText(message.substr(colon + 2), engine::Violations::kDescriptionBytesMax),
                 &violations);
  }
  return violations;
}

google::rpc::ErrorInfo InfoOf(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  info.set_reason(engine::ReasonOf(status));
  info.set_domain(kDomain);
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& value) {
    if (absl::ConsumePrefix(&url, kMetadataUrl)) {
      (*info.mutable_metadata())[std::string(url)] = std::string(value);
    }
  });
  return info;
}

bool IsWorthRetrying(const absl::Status& status) {
  return absl::IsResourceExhausted(status) || absl::IsUnavailable(status);
}

// As many violations, from the first on, as there is room for.
void AddBadRequest(BadRequest violations, google::rpc::Status* details) {
  while (!violations.field_violations().empty()) {
    details->add_details()->PackFrom(violations);
    if (details->ByteSizeLong() <= kDetailsBytesMax) return;
    details->mutable_details()->RemoveLast();
    violations.mutable_field_violations()->RemoveLast();
  }
}

}  // namespace

absl::Status ToStatus(const engine::Violations& violations) {
  if (violations.empty()) return absl::OkStatus();
  BadRequest request;
  for (const engine::Violation& violation : violations.kept()) {
    AddViolation(violation.field, violation.description, &request);
  }
  const engine::Violation& first = violations.kept().front();
  std::string message = absl::StrCat(first.field, ": ", first.description);
  if (violations.count() > 1) {
    absl::StrAppend(&message, " (and ", violations.count() - 1, " more)");
  }
  const auto code = violations.only_denied() ? absl::StatusCode::kPermissionDenied
                                             : absl::StatusCode::kInvalidArgument;
  absl::Status status = WithViolations(code, message, request);
  SetMetadata(&status, "violations", absl::StrCat(violations.count()));
  return status;
}

absl::Status InvalidField(std::string_view field, std::string_view reason) {
  BadRequest request;
  AddViolation(field, reason, &request);
  return WithViolations(absl::StatusCode::kInvalidArgument,
                        absl::StrCat(std::string(field), ": ", std::string(reason)), request);
}

void SetMetadata(absl::Status* status, std::string_view key, std::string_view value) {
  status->SetPayload(absl::StrCat(kMetadataUrl, std::string(key)), absl::Cord(std::string(value)));
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status details;
  details.set_code(static_cast<int32_t>(status.code()));
  details.set_message(std::string(CutText(MessageOf(status), kMessageBytesMax)));
  details.add_details()->PackFrom(InfoOf(status));
  if (IsWorthRetrying(status)) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(kRetryDelaySeconds);
    details.add_details()->PackFrom(retry);
  }
  AddBadRequest(ViolationsOf(status), &details);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), details.message(),
                      details.SerializeAsString());
}

absl::Status ServerStops() {
  return engine::Refuse(absl::StatusCode::kUnavailable, "SERVER_STOPS", "the server stops");
}

}  // namespace jobrunner::rpc
