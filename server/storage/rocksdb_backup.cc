#include "storage/rocksdb_backup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/version.h"
#include "engine/refusal.h"
#include "storage/rocksdb_status.h"

namespace jobrunner::storage {
namespace {

// Whoever else may write there could have a restore bring in what he likes, or read all batches.
absl::Status MakePrivate(const std::string& directory) {
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::ErrnoToStatus(errno, absl::StrCat("making the directory ", directory));
  }
  struct stat found {};
  if (stat(directory.c_str(), &found) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("looking at ", directory));
  }
  if (S_ISDIR(found.st_mode) && found.st_uid == geteuid() && (found.st_mode & 022) == 0) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      directory, " must be a directory of the server's user, that nobody else may write"));
}

absl::Status Stopped() {
  return engine::Refuse(absl::StatusCode::kAborted, "SERVER_STOPS", "the server stops");
}

absl::Status Doing(const rocksdb::Status& status, const std::string& directory) {
  if (status.IsIncomplete()) return Stopped();
  return FromRocksDb(status, "writing a backup in " + directory);
}

}  // namespace

absl::StatusOr<Backup> RocksDbBackup::Make(const std::string& directory, int32_t keep) {
  RETURN_IF_ERROR(MakePrivate(directory));
  rocksdb::BackupEngineOptions options(directory);
  rocksdb::BackupEngine* opened = nullptr;
  RETURN_IF_ERROR(
      Doing(rocksdb::BackupEngine::Open(options, rocksdb::Env::Default(), &opened), directory));
  const std::unique_ptr<rocksdb::BackupEngine> engine(opened);
  RETURN_IF_ERROR(Begin(engine.get()));
  const auto ended = absl::MakeCleanup([this] { End(); });
  rocksdb::CreateBackupOptions how;
  // What is in the log goes into a table: the backup has no log that would have to be read.
  how.flush_before_backup = true;
  rocksdb::BackupID number = 0;
  RETURN_IF_ERROR(Doing(
      engine->CreateNewBackupWithMetadata(how, &database_, base::kVersion, &number), directory));
  if (keep > 0) RETURN_IF_ERROR(Doing(engine->PurgeOldBackups(keep), directory));
  rocksdb::BackupInfo info;
  RETURN_IF_ERROR(Doing(engine->GetBackupInfo(number, &info), directory));
  return Backup{number, directory, base::WallTime(std::chrono::seconds(info.timestamp)),
                static_cast<int64_t>(info.size)};
}

absl::Status RocksDbBackup::Begin(rocksdb::BackupEngine* engine) {
  absl::MutexLock lock(&mutex_);
  if (stopped_) return Stopped();
  engine_ = engine;
  return absl::OkStatus();
}

void RocksDbBackup::End() {
  absl::MutexLock lock(&mutex_);
  engine_ = nullptr;
}

void RocksDbBackup::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  if (engine_ != nullptr) engine_->StopBackup();
}

}  // namespace jobrunner::storage
