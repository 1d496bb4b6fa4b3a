#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/common_options.h"

namespace jobrunner::client {

struct RetryOptions {
  std::string batch_id;
  // Empty: all that failed or were cancelled.
  std::vector<int32_t> jobs;
  bool wait = false;
};

// Runs failed and cancelled jobs of a finished batch again, shows the new batch's id, and with
// `wait` its results. Returns the exit status.
absl::StatusOr<int> RetryCommand(const CommonOptions& common, const RetryOptions& options);

}  // namespace jobrunner::client
