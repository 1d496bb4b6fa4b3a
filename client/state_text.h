#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::client {

// The API's enumerations as people read and write them: lower case, spaces, without the prefix
// ("running", "attempt timeout").
std::string StateName(v1::BatchState state);
std::string StateName(v1::JobState state);
std::string ReasonName(v1::Reason reason);
std::string WaitName(v1::WaitReason reason);

// The other way round, for flags: "running", "attempt_error". INVALID_ARGUMENT lists what there is.
absl::StatusOr<v1::BatchState> ParseBatchState(const std::string& text);
absl::StatusOr<v1::JobState> ParseJobState(const std::string& text);
absl::StatusOr<v1::EventKind> ParseEventKind(const std::string& text);
absl::StatusOr<v1::FailurePolicy> ParseFailurePolicy(const std::string& text);

}  // namespace jobrunner::client
