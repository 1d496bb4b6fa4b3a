#pragma once

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "engine/attempt.h"

namespace jobrunner::workers {

// What went wrong with a request, in words for people, and never with its URL's path or query.

// The answer's status is not 2xx. `retry_after` is what the answer said, 0 for nothing.
engine::Failure StatusFailure(int status, std::chrono::seconds retry_after);

// There was no whole answer, and it may be tried again.
engine::Failure TransferFailure(std::string message);
engine::Failure TimeoutFailure(std::string message);

// It was not sent, and will not be: the configuration does not allow it, or it cannot be.
engine::Failure NotAllowed(const absl::Status& status);

engine::Failure StoppedRequest();

}  // namespace jobrunner::workers
