#include "storage/rocksdb_options.h"

#include <memory>
#include <utility>

#include "rocksdb/cache.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/listener.h"
#include "rocksdb/table.h"
#include "storage/rocksdb_status.h"

namespace jobrunner::storage {
namespace {

// Tells of errors of flushes and compactions, and lets nothing be tried again after one.
class Listener final : public rocksdb::EventListener {
 public:
  explicit Listener(RocksDbEvents events) : events_(std::move(events)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/,
                         rocksdb::Status* error) override {
    if (events_.failed) events_.failed(FromRocksDb(*error, "writing the store in the background"));
  }

  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status /*error*/,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }

  // A memtable and its log file begin and end together.
  void OnMemTableSealed(const rocksdb::MemTableInfo& /*info*/) override {
    if (events_.log_changed) events_.log_changed();
  }

 private:
  const RocksDbEvents events_;
};

std::shared_ptr<rocksdb::TableFactory> MakeTables() {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  // Indexes and filters count against the cache, so that memory stays bounded as the store grows.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  // Most requests ask for an id that is not there.
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.block_size = 16 << 10;
  table.format_version = 5;
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(table));
}

void SetRecovery(rocksdb::Options* options) {
  // A record that the last crash cut short is dropped: nobody was told of it. Anything else that
  // does not check out is refused. (The default opens with what is before the damage.)
  options->wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // A log that should be there and is not, or is shorter than it was, is refused too.
  options->track_and_verify_wals_in_manifest = true;
  options->paranoid_checks = true;
  // After an error the process ends; see Committer.
  options->max_bgerror_resume_count = 0;
}

void SetMemory(rocksdb::Options* options) {
  options->write_buffer_size = kMemtableBytes;
  options->max_write_buffer_number = kMemtables;
  options->max_open_files = 512;
}

void SetLog(rocksdb::Options* options) {
  options->info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options->max_log_file_size = 4 << 20;
  options->keep_log_file_num = 4;
  options->stats_dump_period_sec = 0;
  options->stats_persist_period_sec = 0;
}

}  // namespace

rocksdb::Options MakeRocksDbOptions(RocksDbEvents events) {
  rocksdb::Options options;
  SetRecovery(&options);
  SetMemory(&options);
  SetLog(&options);
  options.table_factory = MakeTables();
  options.compression = rocksdb::kLZ4Compression;
  options.max_background_jobs = 2;
  // Events are written once, and mostly read while they are new: large files, few compactions.
  options.level_compaction_dynamic_level_bytes = true;
  options.bytes_per_sync = 1 << 20;
  options.listeners.push_back(std::make_shared<Listener>(std::move(events)));
  return options;
}

}  // namespace jobrunner::storage
