// The least that makes the bare pipeline durable: numbered records in RocksDB, synced together.

#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace jobrunner::bench {

// Not thread-safe. What fails aborts.
class LogStore {
 public:
  // A new store in `directory`.
  explicit LogStore(const std::string& directory);

  void Add(char kind, std::string_view bytes);
  // Returns when everything that was added is stable.
  void Sync();

 private:
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::WriteBatch batch_;
  uint64_t last_ = 0;
};

}  // namespace jobrunner::bench
