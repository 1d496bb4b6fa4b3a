#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "client/common_options.h"

namespace jobrunner::client {

struct BackupOptions {};

// Has the server make a backup of its store, and waits for it.
absl::StatusOr<int> BackupCommand(const CommonOptions& common, const BackupOptions& options);

struct RestoreOptions {
  std::string backups;
  // Empty: the backups are listed.
  std::string directory;
  // 0: the newest.
  uint32_t number = 0;
};

// Makes a store from a backup, on this machine, without a server. jobrunnerd does it, since this
// program links no database. Returns the exit status: kStoreDamaged for a backup that is damaged.
absl::StatusOr<int> RestoreCommand(const CommonOptions& common, const RestoreOptions& options);

}  // namespace jobrunner::client
