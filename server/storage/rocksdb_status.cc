#include "storage/rocksdb_status.h"

#include "absl/strings/str_cat.h"

namespace jobrunner::storage {

absl::Status FromRocksDb(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return absl::OkStatus();
  const std::string message =
      absl::StrCat(absl::string_view(doing.data(), doing.size()), ": ", status.ToString());
  if (status.IsCorruption()) {
    return absl::DataLossError(
        absl::StrCat(message,
                     ". The store is damaged, and nothing of it is skipped: keep a copy of "
                     "its directory, check the disk, and restore the store from a backup"));
  }
  if (status.IsNotFound()) return absl::NotFoundError(message);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(message);
  return absl::UnavailableError(message);
}

}  // namespace jobrunner::storage
