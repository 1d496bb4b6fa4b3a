// How RocksDB is set up.

#pragma once

#include <functional>

#include "absl/status/status.h"
#include "rocksdb/options.h"

namespace jobrunner::storage {

// Memory that the database takes, in all about 150 MiB: memtables, of which one is written and two
// may wait to be flushed, and the cache of blocks with their indexes and filters.
inline constexpr size_t kMemtableBytes = 24 << 20;
inline constexpr int kMemtables = 3;
inline constexpr size_t kBlockCacheBytes = 64 << 20;
static_assert(kMemtableBytes * kMemtables + kBlockCacheBytes <= 160 << 20);

// Called on any thread; must not block.
struct RocksDbEvents {
  // Writing in the background has failed.
  std::function<void(const absl::Status&)> failed = {};
  // Another log file is about to be written to.
  std::function<void()> log_changed = {};
};

rocksdb::Options MakeRocksDbOptions(RocksDbEvents events);

}  // namespace jobrunner::storage
