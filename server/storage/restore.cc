#include "storage/restore.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/prng.h"
#include "base/status_macros.h"
#include "rocksdb/utilities/backup_engine.h"
#include "storage/rocksdb_open.h"
#include "storage/rocksdb_status.h"
#include "storage/store_check.h"
#include "storage/store_directory.h"
#include "storage/sync_directory.h"

namespace jobrunner::storage {
namespace {

namespace fs = std::filesystem;

// More starts than any server has between a backup and its restore.
constexpr uint32_t kEpochsApart = 1 << 16;

absl::StatusOr<std::unique_ptr<rocksdb::BackupEngineReadOnly>> OpenBackups(
    const std::string& directory) {
  std::error_code error;
  // Opening would say that nothing is there, of any directory.
  if (!fs::is_directory(directory + "/meta", error)) {
    return absl::NotFoundError(absl::StrCat(directory, " has no backups"));
  }
  rocksdb::BackupEngineOptions options(directory);
  rocksdb::BackupEngineReadOnly* engine = nullptr;
  RETURN_IF_ERROR(
      FromRocksDb(rocksdb::BackupEngineReadOnly::Open(options, rocksdb::Env::Default(), &engine),
                  "reading the backups in " + directory));
  return std::unique_ptr<rocksdb::BackupEngineReadOnly>(engine);
}

absl::Status CheckTarget(const std::string& directory) {
  std::error_code error;
  if (fs::exists(directory, error) && !fs::is_empty(directory, error)) {
    return absl::FailedPreconditionError(absl::StrCat(
        directory,
        " is not empty. A store is restored into a directory of its own: name another, or "
        "move this one away"));
  }
  if (error) return absl::UnavailableError(absl::StrCat(directory, ": ", error.message()));
  return absl::OkStatus();
}

absl::Status CheckStaging(const std::string& staging) {
  std::error_code error;
  if (fs::exists(staging, error)) {
    return absl::FailedPreconditionError(absl::StrCat(
        staging,
        " is there: what a restore that was cut short has left, or one that is under way. "
        "Remove it"));
  }
  return absl::OkStatus();
}

// Makes it a store of its own, and reads all of it.
absl::Status Finish(const std::string& staging,
                    const std::function<void(const std::string&)>& fault) {
  ASSIGN_OR_RETURN(const auto held, StoreDirectory::Take(staging));
  ASSIGN_OR_RETURN(const OpenDatabase opened, OpenToServe(*held, {}, nullptr));
  rocksdb::DB* const database = opened.database.get();
  ASSIGN_OR_RETURN(const StoreTotals totals, CheckStore(database, fault));
  if (totals.faults > 0) {
    return absl::DataLossError(
        absl::StrCat("the backup has ", totals.faults, " faults. Restore another one"));
  }
  ASSIGN_OR_RETURN(StoreState state, ReadState(database));
  state.epoch +=
      kEpochsApart + static_cast<uint32_t>(base::Prng(base::RandomSeed()).Below(kEpochsApart));
  RETURN_IF_ERROR(WriteState(state, database));
  opened.mark->Synced(*database);
  return absl::OkStatus();
}

absl::Status GiveName(const std::string& staging, const std::string& directory) {
  RETURN_IF_ERROR(SyncDirectory(staging));
  if (rename(staging.c_str(), directory.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("renaming ", staging, " to ", directory));
  }
  return SyncDirectory(fs::path(directory).parent_path().string());
}

}  // namespace

absl::StatusOr<std::vector<Backup>> ListBackups(const std::string& directory) {
  ASSIGN_OR_RETURN(const auto engine, OpenBackups(directory));
  std::vector<rocksdb::BackupInfo> infos;
  engine->GetBackupInfo(&infos);
  std::vector<Backup> backups;
  for (const rocksdb::BackupInfo& info : infos) {
    backups.push_back({info.backup_id, directory,
                       base::WallTime(std::chrono::seconds(info.timestamp)),
                       static_cast<int64_t>(info.size)});
  }
  return backups;
}

absl::Status Restore(const std::string& backups, uint32_t number, const std::string& target,
                     const std::function<void(const std::string&)>& fault) {
  std::string directory = fs::absolute(target).lexically_normal().string();
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  const std::string staging = directory + ".restoring";
  ASSIGN_OR_RETURN(const std::vector<Backup> there, ListBackups(backups));
  if (there.empty()) return absl::NotFoundError(absl::StrCat(backups, " has no backups"));
  if (number == 0) number = there.back().number;
  RETURN_IF_ERROR(CheckTarget(directory));
  RETURN_IF_ERROR(CheckStaging(staging));
  // What is killed leaves it; an error does not.
  auto remover = absl::MakeCleanup([&] {
    std::error_code error;
    fs::remove_all(staging, error);
  });
  {
    // Makes the directories, and holds them while they are filled.
    ASSIGN_OR_RETURN(const auto held, StoreDirectory::Take(staging));
    ASSIGN_OR_RETURN(const auto engine, OpenBackups(backups));
    RETURN_IF_ERROR(
        FromRocksDb(engine->RestoreDBFromBackup(number, held->database(), held->database()),
                    absl::StrCat("restoring backup ", number, " of ", backups)));
  }
  RETURN_IF_ERROR(Finish(staging, fault));
  RETURN_IF_ERROR(GiveName(staging, directory));
  std::move(remover).Cancel();
  return absl::OkStatus();
}

}  // namespace jobrunner::storage
