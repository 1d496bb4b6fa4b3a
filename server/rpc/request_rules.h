// What requests other than batches must be like.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/repeated_field.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::rpc {

// NOT_FOUND for what is no id: no batch has it.
absl::Status CheckBatchId(std::string_view batch_id);

absl::Status CheckRequestId(const std::string& request_id);

// The size of a page that was asked for as `page_size`.
absl::StatusOr<int32_t> PageSize(int32_t page_size);

// A grace period: `unset` if it is, zero to an hour if not.
absl::StatusOr<std::chrono::nanoseconds> GracePeriod(bool is_set,
                                                     const google::protobuf::Duration& duration,
                                                     std::chrono::nanoseconds unset);

// Each must be a value of its enum, and not the unspecified one. `is_valid` is the enum's own.
absl::Status CheckChoices(std::string_view field,
                          const google::protobuf::RepeatedField<int>& values,
                          bool (*is_valid)(int));

absl::Status CheckCancel(const v1::CancelRequest& request);
absl::Status CheckRetryJobs(const v1::RetryJobsRequest& request);
absl::Status CheckStreamResults(const v1::StreamResultsRequest& request);

}  // namespace jobrunner::rpc
