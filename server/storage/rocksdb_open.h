// Opening a store's database, and what is held against it before anything of it is believed.

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "storage/record_codec.h"
#include "storage/rocksdb_mark.h"
#include "storage/rocksdb_options.h"
#include "storage/store_directory.h"

namespace jobrunner::storage {

// A database, and the mark of how far it is stable, which it must not outlive.
struct OpenDatabase {
  std::shared_ptr<RocksDbMark> mark;
  std::unique_ptr<rocksdb::DB> database;
};

// Opens the database in a directory that is held, or makes it if that is new. `env` is where its
// files are; null: the disk. Blocks. DATA_LOSS for one that is damaged, or that lacks what was
// acknowledged; FAILED_PRECONDITION for a format that is newer than this program.
absl::StatusOr<OpenDatabase> OpenToServe(const StoreDirectory& directory, RocksDbEvents events,
                                         rocksdb::Env* env);

// The same without changing a file.
absl::StatusOr<std::unique_ptr<rocksdb::DB>> OpenToRead(const StoreDirectory& directory);

absl::StatusOr<StoreState> ReadState(rocksdb::DB* database);
// Stable when it returns.
absl::Status WriteState(const StoreState& state, rocksdb::DB* database);

}  // namespace jobrunner::storage
