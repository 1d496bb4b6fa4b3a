// RocksDB's errors as ours, and its slices.

#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "rocksdb/slice.h"
#include "rocksdb/status.h"

namespace jobrunner::storage {

// What is damaged is DATA_LOSS, with what the operator can do about it.
absl::Status FromRocksDb(const rocksdb::Status& status, std::string_view doing);

inline rocksdb::Slice ToSlice(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

}  // namespace jobrunner::storage
