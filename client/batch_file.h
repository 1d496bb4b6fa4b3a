#pragma once

#include <memory>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "client/job_lines.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {

// The batch that a file describes, in Protobuf's JSON: either one SubmitBatchRequest, an object
// with "batch", over any number of lines; or a Job on each line, which are not read yet.
using BatchFile = std::variant<v1::SubmitBatchRequest, std::unique_ptr<JobLines>>;

// "-" is standard input. What is no file that can be read again (a pipe) is copied to one first,
// in $TMPDIR or /var/tmp. INVALID_ARGUMENT for a request that is none.
absl::StatusOr<BatchFile> OpenBatchFile(const std::string& path);

}  // namespace jobrunner::client
