#include "storage/rocksdb_faulty_disk.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace jobrunner::test {

using rocksdb::IOStatus;

class FaultyDisk::File final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(FaultyDisk* disk, std::string path, std::unique_ptr<rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)), disk_(*disk), path_(std::move(path)) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* context) override {
    IOStatus begun = disk_.Begin(DiskOperation::kWrite, path_);
    if (!begun.ok()) return begun;
    const auto size = static_cast<int64_t>(data.size());
    const int64_t room = disk_.Room(size);
    const rocksdb::Slice part(data.data(), static_cast<size_t>(room));
    IOStatus status = FSWritableFileOwnerWrapper::Append(part, options, context);
    if (status.ok()) disk_.Wrote(path_, room);
    if (status.ok() && room < size) status = IOStatus::NoSpace("injected", "No space left");
    return status;
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*verification*/,
                  IODebugContext* context) override {
    return Append(data, options, context);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* context) override {
    return SyncFile(options, context);
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return SyncFile(options, context);
  }

 private:
  IOStatus SyncFile(const IOOptions& options, IODebugContext* context) {
    IOStatus begun = disk_.Begin(DiskOperation::kSync, path_);
    if (!begun.ok()) return begun;
    // That it is on the real disk is nothing to the test, which reads back what was written.
    IOStatus status = FSWritableFileOwnerWrapper::Flush(options, context);
    if (status.ok()) disk_.Synced(path_);
    return status;
  }

  FaultyDisk& disk_;
  const std::string path_;
};

class FaultyDisk::Directory final : public rocksdb::FSDirectoryWrapper {
 public:
  Directory(FaultyDisk* disk, std::string path, std::unique_ptr<rocksdb::FSDirectory> directory)
      : FSDirectoryWrapper(std::move(directory)), disk_(*disk), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions& /*options*/, IODebugContext* /*context*/) override {
    return SyncNames();
  }
  IOStatus FsyncWithDirOptions(const IOOptions& /*options*/, IODebugContext* /*context*/,
                               const rocksdb::DirFsyncOptions& /*how*/) override {
    return SyncNames();
  }

 private:
  IOStatus SyncNames() {
    IOStatus begun = disk_.Begin(DiskOperation::kSync, path_);
    if (begun.ok()) disk_.NamesSynced(path_);
    return begun;
  }

  FaultyDisk& disk_;
  const std::string path_;
};

void FaultyDisk::Inject(Fault fault) {
  absl::MutexLock lock(&mutex_);
  fault.at += counts_[static_cast<size_t>(fault.operation)];
  fault_ = std::move(fault);
  failed_sync_.clear();
}

void FaultyDisk::SetQuota(int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  quota_ = bytes;
}

void FaultyDisk::LieAboutSyncs() {
  absl::MutexLock lock(&mutex_);
  lies_ = true;
}

void FaultyDisk::HoldTables() {
  absl::MutexLock lock(&mutex_);
  holds_tables_ = true;
}

void FaultyDisk::AwaitTables(const std::string& path) {
  if (!path.ends_with(".sst")) return;
  absl::MutexLock lock(&mutex_);
  const auto free = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !holds_tables_ || without_power_;
  };
  mutex_.Await(absl::Condition(&free));
}

void FaultyDisk::Heal() {
  absl::MutexLock lock(&mutex_);
  fault_.reset();
  quota_.reset();
  failed_sync_.clear();
}

void FaultyDisk::CutPower() {
  absl::MutexLock lock(&mutex_);
  without_power_ = true;
}

void FaultyDisk::LoseWhatWasNotSynced(uint64_t chance) {
  namespace fs = std::filesystem;
  absl::MutexLock lock(&mutex_);
  for (auto& [path, written] : files_) {
    std::error_code error;
    const auto size = static_cast<int64_t>(fs::file_size(path, error));
    if (error) continue;
    const int64_t unsynced = std::max<int64_t>(0, size - written.synced);
    const int64_t kept = unsynced == 0 ? 0 : static_cast<int64_t>(chance % (unsynced + 1));
    chance = chance * 6364136223846793005 + 1442695040888963407;
    bytes_lost_ += unsynced - kept;
    if (!written.named && kept == 0) {
      fs::remove(path);
    } else {
      fs::resize_file(path, static_cast<uintmax_t>(std::min(size, written.synced + kept)));
    }
  }
  files_.clear();
  without_power_ = false;
}

int FaultyDisk::fired() const {
  absl::MutexLock lock(&mutex_);
  return fired_;
}

int FaultyDisk::syncs_after_failure() const {
  absl::MutexLock lock(&mutex_);
  return syncs_after_failure_;
}

int FaultyDisk::count(DiskOperation operation) const {
  absl::MutexLock lock(&mutex_);
  return counts_[static_cast<size_t>(operation)];
}

int64_t FaultyDisk::bytes_lost() const {
  absl::MutexLock lock(&mutex_);
  return bytes_lost_;
}

int64_t FaultyDisk::bytes_written() const {
  absl::MutexLock lock(&mutex_);
  return bytes_;
}

IOStatus FaultyDisk::Begin(DiskOperation operation, const std::string& path) {
  absl::MutexLock lock(&mutex_);
  if (without_power_) return IOStatus::IOError("without power");
  const int count = ++counts_[static_cast<size_t>(operation)];
  if (operation == DiskOperation::kSync && path == failed_sync_) ++syncs_after_failure_;
  if (!fault_ || fault_->operation != operation) return IOStatus::OK();
  if (count != fault_->at && !(fault_->for_good && count > fault_->at)) return IOStatus::OK();
  ++fired_;
  if (operation == DiskOperation::kSync) failed_sync_ = path;
  return fault_->status;
}

int64_t FaultyDisk::Room(int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  if (!quota_) return bytes;
  const int64_t room = std::clamp<int64_t>(*quota_ - bytes_, 0, bytes);
  if (room < bytes) ++fired_;
  return room;
}

void FaultyDisk::Wrote(const std::string& path, int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  files_[path].bytes += bytes;
  bytes_ += bytes;
}

void FaultyDisk::Synced(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  Written& written = files_[path];
  if (!lies_) written.synced = written.bytes;
}

void FaultyDisk::NamesSynced(const std::string& directory) {
  absl::MutexLock lock(&mutex_);
  if (lies_) return;
  for (auto& [path, written] : files_) {
    if (std::filesystem::path(path).parent_path() == directory) written.named = true;
  }
}

IOStatus FaultyDisk::NewWritableFile(const std::string& path, const FileOptions& options,
                                     std::unique_ptr<rocksdb::FSWritableFile>* file,
                                     IODebugContext* context) {
  AwaitTables(path);
  IOStatus status = Begin(DiskOperation::kOpen, path);
  if (status.ok()) status = FileSystemWrapper::NewWritableFile(path, options, file, context);
  if (!status.ok()) return status;
  {
    absl::MutexLock lock(&mutex_);
    bytes_ -= files_[path].bytes;
    files_[path] = {};
  }
  *file = std::make_unique<File>(this, path, std::move(*file));
  return status;
}

IOStatus FaultyDisk::NewDirectory(const std::string& path, const IOOptions& options,
                                  std::unique_ptr<rocksdb::FSDirectory>* directory,
                                  IODebugContext* context) {
  IOStatus status = Begin(DiskOperation::kOpen, path);
  if (status.ok()) status = FileSystemWrapper::NewDirectory(path, options, directory, context);
  if (status.ok()) *directory = std::make_unique<Directory>(this, path, std::move(*directory));
  return status;
}

IOStatus FaultyDisk::RenameFile(const std::string& from, const std::string& to,
                                const IOOptions& options, IODebugContext* context) {
  IOStatus status = Begin(DiskOperation::kRename, from);
  if (status.ok()) status = FileSystemWrapper::RenameFile(from, to, options, context);
  if (!status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  bytes_ -= files_[to].bytes;
  files_[to] = std::exchange(files_[from], {});
  files_[to].named = true;
  files_.erase(from);
  return status;
}

IOStatus FaultyDisk::DeleteFile(const std::string& path, const IOOptions& options,
                                IODebugContext* context) {
  {
    absl::MutexLock lock(&mutex_);
    if (without_power_) return IOStatus::IOError("without power");
  }
  IOStatus status = FileSystemWrapper::DeleteFile(path, options, context);
  absl::MutexLock lock(&mutex_);
  const auto found = files_.find(path);
  if (!status.ok() || found == files_.end()) return status;
  bytes_ -= found->second.bytes;
  files_.erase(found);
  return status;
}

}  // namespace jobrunner::test
