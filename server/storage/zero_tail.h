// The ends of files that never came to the disk.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace jobrunner::storage {

// A file of which an end was cut off.
struct CutFile {
  std::string path;
  // Before.
  uintmax_t length = 0;
};

// A machine that dies while a file grows may leave its new length on the disk without its last
// bytes: these read as zeros, from the boundary of a sector on. In files that only grow, RocksDB's
// logs and manifests, nothing of that was ever synced. Cuts such ends off, so that what is left is
// as after a write that was cut short. Returns which; none if no file ends so. Blocks.
absl::StatusOr<std::vector<CutFile>> CutZeroTails(const std::string& database);

// Gives the files their zeros back. Blocks.
absl::Status PutBackZeroTails(const std::vector<CutFile>& files);

}  // namespace jobrunner::storage
