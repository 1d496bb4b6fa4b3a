// The mark of how far the database was synced.

#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "rocksdb/db.h"
#include "storage/sync_mark.h"

namespace jobrunner::storage {

// Keeps a SyncMark up to date: a few stores a synced commit, and a question to the database when it
// has begun another log file.
class RocksDbMark {
 public:
  explicit RocksDbMark(std::unique_ptr<SyncMark> mark) : mark_(std::move(mark)) {}

  // Another log file is about to be written to. Any thread.
  void LogChanged() { log_changed_ = true; }

  // All that `database` has been given is stable. By one thread at a time, with no write under way;
  // may block for some microseconds.
  void Synced(rocksdb::DB& database);

 private:
  const std::unique_ptr<SyncMark> mark_;
  std::atomic<bool> log_changed_ = true;
  // The thread's own.
  uint64_t log_ = 0;
};

}  // namespace jobrunner::storage
