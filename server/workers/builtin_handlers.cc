#include "workers/builtin_handlers.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace jobrunner::workers {
namespace {

using google::protobuf::Value;

// Ten years, as for every duration of a job.
constexpr int64_t kSleepMsMax = int64_t{10} * 366 * 24 * 3600 * 1000;
constexpr int kInvalidArgument = 3;
constexpr int kCancelled = 1;
constexpr int kCodeMax = 16;
constexpr int kAttemptsMax = 1000;

absl::string_view Payload(const HandlerContext& context) {
  return {context.payload().data(), context.payload().size()};
}

HandlerError BadPayload(absl::string_view reason) {
  return {
      .message = absl::StrCat("payload: ", reason), .code = kInvalidArgument, .retryable = false};
}

// Whether the whole time passed without a stop being asked.
bool SleepUnlessStopped(std::chrono::milliseconds time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never_signalled;
  std::unique_lock lock(mutex);
  never_signalled.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

HandlerResult Sleep(HandlerContext& context) {
  int64_t time_ms = 0;
  if (!absl::SimpleAtoi(Payload(context), &time_ms) || time_ms < 0 || time_ms > kSleepMsMax) {
    return BadPayload("must be a number of milliseconds, at most ten years");
  }
  if (!SleepUnlessStopped(std::chrono::milliseconds(time_ms), context.stop_token())) {
    return HandlerError{.message = "was asked to stop", .code = kCancelled};
  }
  return std::string();
}

struct FailRequest {
  HandlerError error;
  // 0: never.
  int32_t succeed_on_attempt = 0;
};

absl::StatusOr<int32_t> WholeNumber(const Value& value, int32_t max) {
  const double number = value.number_value();
  if (!(number >= 1 && number <= max) || number != static_cast<int32_t>(number)) {
    return absl::InvalidArgumentError(absl::StrCat("must be a whole number from 1 to ", max));
  }
  return static_cast<int32_t>(number);
}

absl::Status ExpectKind(const Value& value, Value::KindCase kind, absl::string_view name) {
  if (value.kind_case() == kind) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("must be ", name));
}

absl::Status SetField(absl::string_view name, const Value& value, FailRequest* request) {
  if (name == "message") {
    RETURN_IF_ERROR(ExpectKind(value, Value::kStringValue, "a string"));
    request->error.message = value.string_value();
  } else if (name == "code") {
    ASSIGN_OR_RETURN(request->error.code, WholeNumber(value, kCodeMax));
  } else if (name == "succeed_on_attempt") {
    ASSIGN_OR_RETURN(request->succeed_on_attempt, WholeNumber(value, kAttemptsMax));
  } else if (name == "retryable") {
    RETURN_IF_ERROR(ExpectKind(value, Value::kBoolValue, "true or false"));
    request->error.retryable = value.bool_value();
  } else if (name == "critical") {
    RETURN_IF_ERROR(ExpectKind(value, Value::kBoolValue, "true or false"));
    request->error.critical = value.bool_value();
  } else {
    return absl::InvalidArgumentError("is unknown");
  }
  return absl::OkStatus();
}

absl::StatusOr<FailRequest> ParseFailRequest(absl::string_view payload) {
  FailRequest request;
  request.error.message = std::string(payload);
  if (payload.empty()) request.error.message = "failed, as it was told to";
  // Anything that does not look like JSON is the message itself.
  if (!absl::StartsWith(absl::StripLeadingAsciiWhitespace(payload), "{")) return request;
  google::protobuf::Struct json;
  if (!google::protobuf::util::JsonStringToMessage(request.error.message, &json).ok()) {
    return request;
  }
  request.error.message = "failed, as it was told to";
  for (const auto& [name, value] : json.fields()) {
    const absl::Status status = SetField(name, value, &request);
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": ", status.message()));
    }
  }
  return request;
}

HandlerResult Fail(HandlerContext& context) {
  absl::StatusOr<FailRequest> request = ParseFailRequest(Payload(context));
  if (!request.ok()) return BadPayload(request.status().message());
  const int32_t success = request->succeed_on_attempt;
  if (success > 0 && context.attempt() >= success) return std::string();
  return std::move(request->error);
}

}  // namespace

HandlerResult Echo(HandlerContext& context) { return std::string(context.payload()); }

std::vector<std::pair<std::string, HandlerFunction>> BuiltInHandlers() {
  return {{"sleep", Sleep}, {"fail", Fail}};
}

}  // namespace jobrunner::workers
