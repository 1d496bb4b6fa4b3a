#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace jobrunner::v1 {
class SubmitBatchRequest;
}

namespace jobrunner::client {

// The batch that a file describes, in Protobuf's JSON: either one SubmitBatchRequest, an object
// with "batch", over any number of lines; or a Job on each line, blank lines aside.
// INVALID_ARGUMENT says what is wrong, and on which line.
absl::StatusOr<v1::SubmitBatchRequest> ParseBatchFile(const std::string& text);

// All of a file; "-" is standard input.
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace jobrunner::client
