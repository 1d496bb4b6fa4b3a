#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/common_options.h"

namespace jobrunner::client {

struct ListOptions {
  // As ParseBatchState reads them; empty: all.
  std::vector<std::string> states;
  std::string queue;
  // Each "name=value".
  std::vector<std::string> labels;
  // Newest so many; 0: all.
  int64_t limit = 0;
};

// Shows the batches of a server, newest first.
absl::StatusOr<int> ListCommand(const CommonOptions& common, const ListOptions& options);

}  // namespace jobrunner::client
