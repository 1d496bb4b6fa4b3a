#include "storage/rocksdb_range.h"

#include <utility>

namespace jobrunner::storage {

RocksDbRange::RocksDbRange(rocksdb::DB* database, keys::Range range)
    : range_(std::move(range)), lower_(range_.begin), upper_(range_.end) {
  rocksdb::ReadOptions options;
  options.iterate_lower_bound = &lower_;
  options.iterate_upper_bound = &upper_;
  walk_.reset(database->NewIterator(options));
}

void RocksDbRange::ToLastUpTo(std::string_view key) {
  walk_->SeekForPrev(ToSlice(key));
  if (!walk_->Valid() && walk_->status().ok()) ToFirst();
}

}  // namespace jobrunner::storage
