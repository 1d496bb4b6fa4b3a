#include "workers/http/http_failure.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/limits.h"
#include "google/rpc/code.pb.h"

namespace jobrunner::workers {
namespace {

constexpr int kTooManyRequests = 429;

// As google/rpc/code.proto maps them, the other way round.
int CodeOf(int status) {
  switch (status) {
    case 400:
      return google::rpc::INVALID_ARGUMENT;
    case 401:
      return google::rpc::UNAUTHENTICATED;
    case 403:
      return google::rpc::PERMISSION_DENIED;
    case 404:
      return google::rpc::NOT_FOUND;
    case 409:
      return google::rpc::ABORTED;
    case kTooManyRequests:
      return google::rpc::RESOURCE_EXHAUSTED;
    case 501:
      return google::rpc::UNIMPLEMENTED;
    case 408:
    case 504:
      return google::rpc::DEADLINE_EXCEEDED;
    case 502:
    case 503:
      return google::rpc::UNAVAILABLE;
    default:
      return status < 500 ? google::rpc::FAILED_PRECONDITION : google::rpc::INTERNAL;
  }
}

engine::Failure NoAnswer(int code, std::string message, bool final) {
  engine::Failure failure;
  failure.code = code;
  failure.message = std::move(message);
  failure.reason = v1::REASON_HTTP_FAILED;
  failure.final = final;
  return failure;
}

}  // namespace

engine::Failure StatusFailure(int status, std::chrono::seconds retry_after) {
  engine::Failure failure;
  failure.code = CodeOf(status);
  failure.message = absl::StrCat("was answered with status ", status);
  failure.reason = v1::REASON_HTTP_STATUS;
  failure.final = status < 500 && status != kTooManyRequests;
  failure.retry_after = std::clamp(retry_after, std::chrono::seconds(0),
                                   std::chrono::seconds(engine::kRetryAfterMax));
  return failure;
}

engine::Failure TransferFailure(std::string message) {
  return NoAnswer(google::rpc::UNAVAILABLE, std::move(message), /*final=*/false);
}

engine::Failure TimeoutFailure(std::string message) {
  return NoAnswer(google::rpc::DEADLINE_EXCEEDED, std::move(message), /*final=*/false);
}

engine::Failure NotAllowed(const absl::Status& status) {
  return NoAnswer(status.raw_code(), std::string(status.message()), /*final=*/true);
}

engine::Failure StoppedRequest() {
  return NoAnswer(google::rpc::CANCELLED, "was stopped", /*final=*/false);
}

}  // namespace jobrunner::workers
