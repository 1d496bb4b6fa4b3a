// Walking over keys.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "rocksdb/db.h"
#include "rocksdb/iterator.h"
#include "storage/keys.h"
#include "storage/rocksdb_status.h"

namespace jobrunner::storage {

// A walk over the keys of a range, as the store was when it began:
//
//   for (range.ToFirst(); range.valid(); range.Next()) … range.key() …
//   RETURN_IF_ERROR(range.status());
//
// Not thread-safe.
class RocksDbRange {
 public:
  RocksDbRange(rocksdb::DB* database, keys::Range range);
  RocksDbRange(const RocksDbRange&) = delete;
  RocksDbRange& operator=(const RocksDbRange&) = delete;

  void ToFirst() { walk_->Seek(lower_); }
  void ToLast() { walk_->SeekToLast(); }
  // To the first key that is not before `key`.
  void ToFirstFrom(std::string_view key) { walk_->Seek(ToSlice(key)); }
  // To the last key that is not after `key`, or to the first when there is none.
  void ToLastUpTo(std::string_view key);
  void Next() { walk_->Next(); }
  void Previous() { walk_->Prev(); }

  // Whether there is a key here. False at the end, and after an error.
  bool valid() const { return walk_->Valid(); }
  std::string_view key() const { return ToView(walk_->key()); }
  std::string_view value() const { return ToView(walk_->value()); }
  absl::Status status() const { return FromRocksDb(walk_->status(), "reading the store"); }

 private:
  const keys::Range range_;
  const rocksdb::Slice lower_;
  const rocksdb::Slice upper_;
  std::unique_ptr<rocksdb::Iterator> walk_;
};

}  // namespace jobrunner::storage
