// Remembers on disk.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/store.h"
#include "rocksdb/db.h"
#include "storage/backup.h"
#include "storage/committer.h"
#include "storage/disk_room.h"
#include "storage/log_cache.h"
#include "storage/read_pool.h"
#include "storage/rocksdb_backup.h"
#include "storage/rocksdb_open.h"
#include "storage/rocksdb_reader.h"
#include "storage/rocksdb_writer.h"
#include "storage/store_directory.h"

namespace jobrunner::storage {

struct RocksDbOptions {
  // CheckRoom fails while less than this is free on the disk.
  int64_t disk_reserve_bytes = 256 << 20;
  // Called once, on any thread, when nothing more can be stored: the process must end. It must not
  // destroy the store.
  std::function<void(const absl::Status&)> failed = {};
  // Where the database's files are; null: the disk. Outlives the store.
  rocksdb::Env* env = nullptr;
};

// The store of one server, embedded: RocksDB in a directory. keys.h and record.proto have what is
// in it. One thread writes, two read; what is held in memory is bounded. Thread-safe.
class RocksDbStore final : public engine::Store, public BackupSource {
 public:
  // Makes the store unless it is there. Blocks: reads what RocksDB has not sorted in yet. The
  // errors of StoreDirectory::Take; FAILED_PRECONDITION for a format that is newer than this
  // program, DATA_LOSS for a store that is damaged.
  static absl::StatusOr<std::unique_ptr<RocksDbStore>> Open(std::string directory,
                                                            RocksDbOptions options);
  // Blocks until all commits are stored and all reads answered. A backup that is being made is
  // not waited for.
  ~RocksDbStore() override;

  bool durable() const override { return true; }
  absl::StatusOr<engine::Recovery> Recover() override;
  void Commit(std::vector<engine::Write> writes, engine::Sync sync, CommitDone done) override;
  absl::Status CheckRoom() const override { return room_.Check(); }
  void LoadShard(std::string_view batch_id, int32_t first_index, ShardDone done) override;
  // Answers before it returns when what is asked for is in memory.
  void ReadLog(std::string_view batch_id, int64_t after_sequence, int64_t bytes_max,
               PageDone done) override;
  void FindBatch(std::string_view batch_id, BatchDone done) override;
  void ListFinished(const engine::BatchFilter& filter, std::string_view before_id,
                    int32_t page_size, ListDone done) override;
  // Answers before it returns when no disk is needed to know.
  void FindRequest(std::string_view request_id, RequestDone done) override;
  void FindExpired(base::WallTime now, int32_t max, ExpiredDone done) override;
  void BackUp(std::string directory, int32_t keep, BackupDone done) override;

 private:
  using Failed = std::function<void(const absl::Status&)>;

  RocksDbStore(std::unique_ptr<StoreDirectory> directory, OpenDatabase opened,
               int64_t disk_reserve_bytes, Failed failed);

  // Drops what an earlier server had staged; says of how many batches.
  absl::StatusOr<int64_t> DropStaged();
  // The next epoch, which is stable from here on.
  absl::StatusOr<uint32_t> RaiseEpoch();

  const std::unique_ptr<StoreDirectory> directory_;
  const std::shared_ptr<RocksDbMark> mark_;
  const std::unique_ptr<rocksdb::DB> database_;
  const DiskRoom room_;
  LogCache cache_;
  RocksDbWriter writer_;
  const RocksDbReader reader_;
  RocksDbBackup backup_;
  std::atomic<bool> backing_up_ = false;
  // Last, so that they end first.
  ReadPool reads_;
  // One thread, for what takes minutes.
  ReadPool backups_;
  Committer committer_;
};

}  // namespace jobrunner::storage
