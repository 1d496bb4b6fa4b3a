#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace grpc {
class Status;
}

namespace jobrunner::client {

// A failed call in people's words: the server's message, then the fields it found wrong and what
// else its details say, one a line, safe to be shown. The details (google.rpc.ErrorInfo,
// BadRequest, RetryInfo) are its payloads, serialized, each under its type URL,
// "type.googleapis.com/google.rpc.ErrorInfo" and so on.
absl::Status FromGrpc(const grpc::Status& status);

// The same error, payloads and all, with another code and message.
absl::Status WithMessage(const absl::Status& status, absl::StatusCode code,
                         const std::string& message);

// Whether the error is the end of a call, and not a failure on this side.
bool IsCallError(const absl::Status& status);

// When the server said that it makes sense to try again; infinite when it did not say.
absl::Duration RetryDelay(const absl::Status& status);

// Whether a call that is idempotent, and that nobody here cancelled, should be tried again: the
// server is away, draining or full, or ended while it was asked.
bool MayRetryCall(const absl::Status& status);

}  // namespace jobrunner::client
