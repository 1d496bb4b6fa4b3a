// A store is made from a backup.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/backup.h"

namespace jobrunner::storage {

// The backups in a directory, from the oldest on. NOT_FOUND when there is none, DATA_LOSS when what
// is there cannot be read. Blocks.
absl::StatusOr<std::vector<Backup>> ListBackups(const std::string& directory);

// Makes a new store in `directory`, which must not be there or be empty, of the backup of that
// number (0: the newest). Every checksum of the backup is checked, and then all of the store
// (CheckStore), whose faults `fault` is told of. What is begun lies in `directory`.restoring, and
// has its name only when it is whole and stable.
//
// The new store begins to count its epochs far beyond those of the old one, by chance: no token of
// an attempt that either of them gives, or another store of the same backup, is ever good for the
// other. Blocks. FAILED_PRECONDITION for a directory that has something in it, or that an earlier
// restore was cut short in; NOT_FOUND for a backup that is not there; DATA_LOSS for one that is
// damaged.
absl::Status Restore(const std::string& backups, uint32_t number, const std::string& directory,
                     const std::function<void(const std::string&)>& fault);

}  // namespace jobrunner::storage
