#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/common_options.h"

namespace jobrunner::client {

struct CancelOptions {
  std::string batch_id;
  // Empty: the whole batch.
  std::vector<int32_t> jobs;
  std::string reason;
  std::optional<absl::Duration> grace;
};

// Cancels a batch or some of its jobs, and shows how the batch stands then.
absl::StatusOr<int> CancelCommand(const CommonOptions& common, const CancelOptions& options);

}  // namespace jobrunner::client
