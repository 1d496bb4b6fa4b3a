// Which store a URL names.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/store.h"
#include "storage/backup.h"

namespace jobrunner::storage {

struct StoreOptions {
  // Of a store on disk: CheckRoom fails while less than this is free.
  int64_t disk_reserve_bytes = 256 << 20;
  // Called at most once, on any thread, when nothing more can be stored: the process must end. It
  // must not destroy the store.
  std::function<void(const absl::Status&)> failed = {};
};

struct OpenedStore {
  std::unique_ptr<engine::Store> store;
  // The store as well; null when there are no backups of it.
  BackupSource* backups = nullptr;
};

// "memory:", or "rocksdb:DIRECTORY". INVALID_ARGUMENT for anything else; for rocksdb, the errors of
// RocksDbStore::Open. Blocks until the store can be recovered from.
absl::StatusOr<OpenedStore> OpenStore(std::string_view url, StoreOptions options);

}  // namespace jobrunner::storage
