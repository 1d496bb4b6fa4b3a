#include "storage/open_store.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/memory_store.h"
#include "storage/rocksdb_store.h"

namespace jobrunner::storage {
namespace {

constexpr std::string_view kRocksDb = "rocksdb:";

}  // namespace

absl::StatusOr<OpenedStore> OpenStore(std::string_view url, StoreOptions options) {
  if (url == "memory:") return OpenedStore{std::make_unique<MemoryStore>()};
  if (url.starts_with(kRocksDb) && url.size() > kRocksDb.size()) {
    ASSIGN_OR_RETURN(auto store,
                     RocksDbStore::Open(std::string(url.substr(kRocksDb.size())),
                                        {options.disk_reserve_bytes, std::move(options.failed)}));
    BackupSource* const backups = store.get();
    return OpenedStore{std::move(store), backups};
  }
  return absl::InvalidArgumentError(absl::StrCat("\"", absl::string_view(url.data(), url.size()),
                                                 "\" is no store: memory: or rocksdb:DIRECTORY"));
}

}  // namespace jobrunner::storage
