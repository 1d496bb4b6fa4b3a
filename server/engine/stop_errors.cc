#include "engine/stop_errors.h"

#include <utility>

#include "base/utf8.h"
#include "engine/limits.h"
#include "google/rpc/code.pb.h"

namespace jobrunner::engine {

v1::Error DeadlineError(v1::Reason reason, std::string message) {
  v1::Error error;
  error.set_code(google::rpc::DEADLINE_EXCEEDED);
  error.set_reason(reason);
  error.set_message(std::move(message));
  return error;
}

v1::Error TotalTimeoutError() {
  return DeadlineError(v1::REASON_TOTAL_TIMEOUT, "did not end before its total_timeout");
}

v1::Error CancelError(v1::Reason reason, std::string_view message) {
  v1::Error error;
  error.set_code(reason == v1::REASON_CALL_DEADLINE ? google::rpc::DEADLINE_EXCEEDED
                                                    : google::rpc::CANCELLED);
  error.set_reason(reason);
  error.set_message(base::ValidUtf8(message, kErrorMessageBytesMax));
  return error;
}

v1::Error ShutdownError() {
  return CancelError(v1::REASON_SERVER_SHUTDOWN, "the server was stopped");
}

}  // namespace jobrunner::engine
