// A look at a store that nobody serves from.

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "jobrunner/v1/batch.pb.h"
#include "jobrunner/v1/event.pb.h"
#include "rocksdb/db.h"
#include "storage/log_cache.h"
#include "storage/rocksdb_reader.h"
#include "storage/store_check.h"
#include "storage/store_directory.h"

namespace jobrunner::storage {

// Holds the store's directory, so that no server begins to serve from it meanwhile, and changes no
// file in it. Its methods block for as long as reading takes, and call back on the calling thread;
// errors are DATA_LOSS for what is damaged and UNAVAILABLE for what cannot be read. Not
// thread-safe.
class StoreInspection {
 public:
  // The errors of StoreDirectory::TakeToRead and OpenToRead.
  static absl::StatusOr<std::unique_ptr<StoreInspection>> Open(std::string directory);

  // Every batch, from the newest to the oldest.
  absl::Status ListBatches(const std::function<void(const jobrunner::v1::Batch&)>& show) const;

  // The log of a batch from its beginning. NOT_FOUND when there is no such batch.
  absl::Status ReadLog(const std::string& batch_id,
                       const std::function<void(const jobrunner::v1::Event&)>& show);

  // As CheckStore.
  absl::StatusOr<StoreTotals> Check(const std::function<void(const std::string&)>& fault) const;

 private:
  StoreInspection(std::unique_ptr<StoreDirectory> directory, std::unique_ptr<rocksdb::DB> database);

  const std::unique_ptr<StoreDirectory> directory_;
  const std::unique_ptr<rocksdb::DB> database_;
  // Where the logs of unfinished batches end that were asked for; no segments.
  LogCache cache_;
  const RocksDbReader reader_;
};

}  // namespace jobrunner::storage
