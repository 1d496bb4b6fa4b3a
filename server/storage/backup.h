// What can be backed up while it is served from.

#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"

namespace jobrunner::storage {

// A copy of all that a store had at one moment.
struct Backup {
  // They count from 1 in their directory.
  uint32_t number = 0;
  std::string directory;
  base::WallTime time{};
  // Those files counted too that it shares with other backups.
  int64_t size_bytes = 0;
};

// A store of which there can be backups.
class BackupSource {
 public:
  using BackupDone = std::function<void(absl::StatusOr<Backup>)>;

  virtual ~BackupSource() = default;

  // Adds a backup to those in a directory, and removes the oldest beyond `keep` of them (0: none).
  // It has all that was stable when it was asked for. Commits and reads go on meanwhile. Any
  // thread; does not block. `done` is called on any thread, perhaps before the call returns:
  // ABORTED when another one is being made or the store is closed, FAILED_PRECONDITION for a
  // directory that may not be used.
  virtual void BackUp(std::string directory, int32_t keep, BackupDone done) = 0;
};

}  // namespace jobrunner::storage
