// Finished batches, by the index that serves a filter best.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/batch_page.h"
#include "rocksdb/db.h"
#include "storage/rocksdb_range.h"

namespace jobrunner::storage {

// Walks over the ids of finished batches, from new to old: all of those that match the filter, and
// others that match a part of it. Not thread-safe.
class FinishedScan {
 public:
  // Ids before `before_id`; all if that is empty.
  FinishedScan(rocksdb::DB* database, const engine::BatchFilter& filter,
               std::string_view before_id);

  bool valid() const { return newest_ != nullptr; }
  std::string_view id() const;
  void Next();
  absl::Status status() const;

 private:
  struct Index {
    size_t prefix_bytes = 0;
    std::unique_ptr<RocksDbRange> range;
  };

  void FindNewest();

  std::vector<Index> indexes_;
  // The index that has the next id; null at the end.
  Index* newest_ = nullptr;
};

// Whether a batch matches all of the filter.
bool Matches(const jobrunner::v1::Batch& batch, const engine::BatchFilter& filter);

}  // namespace jobrunner::storage
