#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/common_options.h"

namespace jobrunner::client {

struct InspectOptions {
  std::string directory;
  // Its log is shown; empty: the batches are.
  std::string batch_id;
  bool check = false;
};

// Shows what is in a store that no server has. jobrunnerd reads it, since this program links no
// database. Returns the exit status: kStoreDamaged when something is wrong with the store.
absl::StatusOr<int> InspectCommand(const CommonOptions& common, const InspectOptions& options);

}  // namespace jobrunner::client
