#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/common_options.h"

namespace jobrunner::client {

struct StatusOptions {
  std::string batch_id;
  // One job: by its index, or by its key.
  std::optional<int32_t> job;
  std::optional<std::string> key;
  // All jobs, or those in these states, as ParseJobState reads them.
  bool jobs = false;
  std::vector<std::string> states;
};

// Shows how a batch or its jobs stand, and what waiting jobs wait for.
absl::StatusOr<int> StatusCommand(const CommonOptions& common, const StatusOptions& options);

}  // namespace jobrunner::client
