// Keys and values become what the engine asks for.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "engine/batch.h"
#include "engine/store.h"
#include "rocksdb/db.h"
#include "storage/fold_cache.h"
#include "storage/log_cache.h"
#include "storage/record_codec.h"

namespace jobrunner::storage {

// The reads of engine::Store, each of which may wait for the disk. Thread-safe.
class RocksDbReader {
 public:
  // Both outlive the reader.
  RocksDbReader(rocksdb::DB* database, const LogCache* cache);

  absl::StatusOr<std::shared_ptr<const std::string>> LoadShard(const std::string& batch_id,
                                                               int32_t first_index) const;
  absl::StatusOr<engine::LogPage> ReadLog(const std::string& batch_id, int64_t after_sequence,
                                          int64_t bytes_max) const;
  absl::StatusOr<std::shared_ptr<const engine::Batch>> FindBatch(const std::string& batch_id) const;
  absl::StatusOr<engine::BatchPage> ListFinished(const engine::BatchFilter& filter,
                                                 const std::string& before_id,
                                                 int32_t page_size) const;
  absl::StatusOr<engine::KnownRequest> FindRequest(std::string_view request_id) const;
  // Nothing if the disk would have to be waited for.
  std::optional<absl::StatusOr<engine::KnownRequest>> FindRequestInMemory(
      std::string_view request_id) const;
  absl::StatusOr<engine::Expired> FindExpired(base::WallTime now, int32_t max) const;

  // A batch, finished or not, and the number of its last record.
  struct Folded {
    std::unique_ptr<engine::Batch> batch;
    int64_t last_record = 0;
  };
  absl::StatusOr<Folded> Fold(const std::string& batch_id) const;
  // In the order of the ids: batches that have not finished, and those that are staged.
  absl::StatusOr<std::vector<std::string>> UnfinishedIds() const;
  absl::StatusOr<std::vector<std::string>> StagedIds() const;

 private:
  // What follows `prefix` in the keys that have it.
  absl::StatusOr<std::vector<std::string>> IdsAfter(const std::string& prefix) const;
  // Where the log of a stored batch ends, finished or not.
  absl::StatusOr<LogCache::End> EndOf(const std::string& batch_id) const;
  absl::StatusOr<engine::LogPage> ReadSegments(const std::string& batch_id, int64_t after_sequence,
                                               int64_t bytes_max) const;
  absl::StatusOr<Summary> ReadSummary(std::string_view batch_id) const;

  rocksdb::DB& database_;
  const LogCache& cache_;
  mutable FoldCache folds_;
};

}  // namespace jobrunner::storage
