#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/common_options.h"

namespace jobrunner::client {

struct DeleteOptions {
  std::vector<std::string> batch_ids;
  // No error for those that are not there.
  bool allow_missing = false;
};

// Removes finished batches, one after the other, up to the first that cannot be.
absl::StatusOr<int> DeleteCommand(const CommonOptions& common, const DeleteOptions& options);

}  // namespace jobrunner::client
