// jobrunnerd restore: a store from a backup.

#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace jobrunner::offline {

struct RestoreOptions {
  // Where the backups are.
  std::string backups;
  // Of the new store; empty: the backups are listed.
  std::string directory;
  // 0: the newest.
  uint32_t number = 0;
};

// Says on standard output what was done, or which backups there are, a line each; faults of a
// backup go to standard error. The errors of ListBackups and Restore.
absl::Status Restore(const RestoreOptions& options);

}  // namespace jobrunner::offline
