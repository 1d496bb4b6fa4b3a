// jobrunnerd inspect: a store, as lines.

#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace jobrunner::offline {

struct InspectOptions {
  std::string directory;
  // Its log is shown; empty: the batches are.
  std::string batch_id;
  // All is checked instead.
  bool check = false;
};

// Writes what there is to standard output, an Inspection (inspection.proto) in JSON a line. True:
// all that was read is sound. The errors of StoreInspection; UNAVAILABLE when standard output takes
// no more.
absl::StatusOr<bool> Inspect(const InspectOptions& options);

}  // namespace jobrunner::offline
