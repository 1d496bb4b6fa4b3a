// A disk that fails, as a test tells it to.

#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "rocksdb/file_system.h"

namespace jobrunner::test {

enum class DiskOperation : uint8_t { kOpen, kWrite, kSync, kRename, kCount };

// The real file system, with these faults: an operation that fails, a quota, syncs that say they
// are done and are not, and the loss of all that was not synced. Knows of every file that is
// written through it how much of it was synced; a rename counts as synced at once. Thread-safe.
class FaultyDisk final : public rocksdb::FileSystemWrapper {
 public:
  FaultyDisk() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FaultyDisk"; }

  // The `at`-th operation of the kind from now on fails, and if `for_good` each one after it.
  struct Fault {
    DiskOperation operation = DiskOperation::kSync;
    int at = 1;
    bool for_good = false;
    rocksdb::IOStatus status = rocksdb::IOStatus::IOError("injected", "Input/output error");
  };
  void Inject(Fault fault) ABSL_LOCKS_EXCLUDED(mutex_);
  // No more than so many bytes of files: what goes beyond them is written in part, and fails.
  void SetQuota(int64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void LieAboutSyncs() ABSL_LOCKS_EXCLUDED(mutex_);
  // Nobody gets a new table, and so nothing is flushed: who wants one waits until the power is cut.
  void HoldTables() ABSL_LOCKS_EXCLUDED(mutex_);
  // Neither fault nor quota from here on.
  void Heal() ABSL_LOCKS_EXCLUDED(mutex_);

  // The machine is without power: nothing more is changed, whatever anybody calls.
  void CutPower() ABSL_LOCKS_EXCLUDED(mutex_);
  // What the disk has afterwards: of each file what was synced and, of the rest, a part that
  // `chance` says. Nobody has a file open.
  void LoseWhatWasNotSynced(uint64_t chance) ABSL_LOCKS_EXCLUDED(mutex_);

  // How often an injected fault, or the quota, made an operation fail.
  int fired() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Syncs of the file whose sync failed, after that.
  int syncs_after_failure() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Operations so far.
  int count(DiskOperation operation) const ABSL_LOCKS_EXCLUDED(mutex_);
  // Bytes lost so far.
  int64_t bytes_lost() const ABSL_LOCKS_EXCLUDED(mutex_);
  int64_t bytes_written() const ABSL_LOCKS_EXCLUDED(mutex_);

  using FileOptions = rocksdb::FileOptions;
  using IOOptions = rocksdb::IOOptions;
  using IODebugContext = rocksdb::IODebugContext;
  using IOStatus = rocksdb::IOStatus;
  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file,
                           IODebugContext* context) override;
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* directory,
                        IODebugContext* context) override;
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* context) override;
  IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                      IODebugContext* context) override;

 private:
  class File;
  class Directory;
  struct Written {
    int64_t bytes = 0;
    int64_t synced = 0;
    // Whether its name is synced.
    bool named = false;
  };

  void AwaitTables(const std::string& path) ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether the operation may be done; what is thrown at it else.
  IOStatus Begin(DiskOperation operation, const std::string& path) ABSL_LOCKS_EXCLUDED(mutex_);
  // How many of the bytes may be written.
  int64_t Room(int64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void Wrote(const std::string& path, int64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void Synced(const std::string& path) ABSL_LOCKS_EXCLUDED(mutex_);
  void NamesSynced(const std::string& directory) ABSL_LOCKS_EXCLUDED(mutex_);

  mutable absl::Mutex mutex_;
  std::optional<Fault> fault_ ABSL_GUARDED_BY(mutex_);
  std::optional<int64_t> quota_ ABSL_GUARDED_BY(mutex_);
  bool lies_ ABSL_GUARDED_BY(mutex_) = false;
  bool holds_tables_ ABSL_GUARDED_BY(mutex_) = false;
  bool without_power_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, Written> files_ ABSL_GUARDED_BY(mutex_);
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t bytes_lost_ ABSL_GUARDED_BY(mutex_) = 0;
  std::array<int, static_cast<size_t>(DiskOperation::kCount)> counts_ ABSL_GUARDED_BY(mutex_){};
  int fired_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string failed_sync_ ABSL_GUARDED_BY(mutex_);
  int syncs_after_failure_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace jobrunner::test
