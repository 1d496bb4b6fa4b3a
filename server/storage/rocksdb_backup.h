// Copies of a store that is being served from.

#pragma once

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "rocksdb/db.h"
#include "rocksdb/utilities/backup_engine.h"
#include "storage/backup.h"

namespace jobrunner::storage {

// Makes backups of a database in a directory of their own, by RocksDB's BackupEngine: each is a
// number, the tables that several have are there once. One that is cut short is none: it counts
// from the moment that the file which lists its parts has its name, and what is left of others goes
// with the next backup. Stop may be called on any thread, Make by one at a time.
class RocksDbBackup {
 public:
  // `database` outlives it.
  explicit RocksDbBackup(rocksdb::DB* database) : database_(*database) {}

  // Adds a backup of all that was stored when it was called, and perhaps of what came after it, as
  // it was at one moment; then removes the oldest beyond `keep` (0: none). Blocks for as long as
  // copying takes; commits go on. Stable when it returns. The directory is made where it is
  // missing; what it lies in has to be. ABORTED after Stop; FAILED_PRECONDITION for a directory
  // that is not this user's own.
  absl::StatusOr<Backup> Make(const std::string& directory, int32_t keep)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Has one that is being made end soon, and lets none begin.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Status Begin(rocksdb::BackupEngine* engine) ABSL_LOCKS_EXCLUDED(mutex_);
  void End() ABSL_LOCKS_EXCLUDED(mutex_);

  rocksdb::DB& database_;
  absl::Mutex mutex_;
  // Of the one that is being made.
  rocksdb::BackupEngine* engine_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace jobrunner::storage
