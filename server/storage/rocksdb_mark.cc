#include "storage/rocksdb_mark.h"

#include "rocksdb/transaction_log.h"

namespace jobrunner::storage {

void RocksDbMark::Synced(rocksdb::DB& database) {
  if (log_changed_.exchange(false)) {
    std::unique_ptr<rocksdb::LogFile> log;
    // Without a name the mark still says how far the log has to reach.
    log_ = database.GetCurrentWalFile(&log).ok() ? log->LogNumber() : 0;
  }
  mark_->Set({log_, database.GetLatestSequenceNumber()});
}

}  // namespace jobrunner::storage
