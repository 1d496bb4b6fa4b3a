#include "storage/store_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "storage/sync_directory.h"

namespace jobrunner::storage {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kPrivate = 0700;

absl::Status SystemError(absl::string_view what) { return absl::ErrnoToStatus(errno, what); }

absl::Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), kPrivate) == 0) {
    // It is there for good once the directory that it lies in is synced.
    return SyncDirectory(fs::absolute(path).parent_path().string());
  }
  if (errno != EEXIST) return SystemError(absl::StrCat("making the directory ", path));
  std::error_code error;
  if (fs::is_directory(path, error)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(path, " is not a directory"));
}

// What a new store may find: nothing, or what a file system has at its root.
absl::Status CheckEmpty(const std::string& path) {
  std::error_code error;
  if (fs::exists(path + "/rocksdb", error)) return absl::OkStatus();
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const std::string name = entry.path().filename();
    if (name == "OWNER" || name == "SYNCED" || name == "rocksdb" || name == "lost+found") continue;
    return absl::FailedPreconditionError(absl::StrCat(
        path, " is no store, and not empty: it has \"", name, "\". Name a directory of its own"));
  }
  if (error) return absl::UnavailableError(absl::StrCat("reading ", path, ": ", error.message()));
  return absl::OkStatus();
}

// Whether a database has to be made. One whose making a crash cut short has no data yet; where
// there is data, the file that says what belongs to it must not be missing.
absl::StatusOr<bool> NeedsDatabase(const std::string& database) {
  std::error_code error;
  if (fs::exists(database + "/CURRENT", error)) return false;
  for (const auto& entry : fs::directory_iterator(database, error)) {
    const fs::path extension = entry.path().extension();
    if (extension != ".sst" && extension != ".log") continue;
    return absl::DataLossError(absl::StrCat(
        database, " has data, but its file CURRENT is missing. Restore the store from a backup"));
  }
  if (error) {
    return absl::UnavailableError(absl::StrCat("reading ", database, ": ", error.message()));
  }
  return true;
}

std::string ReadOwner(int fd) {
  std::array<char, 256> text;
  const ssize_t size = pread(fd, text.data(), text.size(), 0);
  return std::string(text.data(), size > 0 ? static_cast<size_t>(size) : 0);
}

// For people; nothing reads it but the message of who comes second.
absl::Status WriteOwner(int fd) {
  std::array<char, 128> host{};
  gethostname(host.data(), host.size() - 1);
  const std::string text = absl::StrCat("process ", getpid(), " on ", host.data(), "\n");
  const bool written = ftruncate(fd, 0) == 0 &&
                       pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  return written ? absl::OkStatus() : SystemError("writing the store's file OWNER");
}

absl::Status Lock(const std::string& path, int fd, int kind) {
  if (flock(fd, kind | LOCK_NB) == 0) return absl::OkStatus();
  if (errno != EWOULDBLOCK) return SystemError(absl::StrCat("locking ", path, "/OWNER"));
  const std::string owner = ReadOwner(fd);
  return absl::FailedPreconditionError(
      absl::StrCat("the store ", path, " is held by ", absl::StripTrailingAsciiWhitespace(owner),
                   "; one process at a time serves from it, and none while others read it"));
}

// The descriptor that holds the lock.
absl::StatusOr<int> LockOwner(const std::string& path) {
  const std::string file = path + "/OWNER";
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return SystemError(absl::StrCat("opening ", file));
  absl::Status status = Lock(path, fd, LOCK_EX);
  if (status.ok()) status = WriteOwner(fd);
  if (status.ok()) return fd;
  close(fd);
  return status;
}

// The same for one of those who read, who say nothing of themselves. −1 where the file is missing,
// as in a copy of a database: nobody has that.
absl::StatusOr<int> LockOwnerToRead(const std::string& path) {
  const std::string file = path + "/OWNER";
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return -1;
  if (fd < 0) return SystemError(absl::StrCat("opening ", file));
  const absl::Status status = Lock(path, fd, LOCK_SH);
  if (status.ok()) return fd;
  close(fd);
  return status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<StoreDirectory>> StoreDirectory::Take(std::string path) {
  RETURN_IF_ERROR(MakeDirectory(path));
  RETURN_IF_ERROR(CheckEmpty(path));
  ASSIGN_OR_RETURN(const int owner, LockOwner(path));
  std::unique_ptr<StoreDirectory> held(new StoreDirectory(std::move(path), owner));
  RETURN_IF_ERROR(MakeDirectory(held->database()));
  ASSIGN_OR_RETURN(held->is_new_, NeedsDatabase(held->database()));
  return held;
}

absl::StatusOr<std::unique_ptr<StoreDirectory>> StoreDirectory::TakeToRead(std::string path) {
  std::error_code error;
  if (!fs::is_directory(path + "/rocksdb", error)) {
    return absl::NotFoundError(absl::StrCat(path, " has no store in it"));
  }
  ASSIGN_OR_RETURN(const int owner, LockOwnerToRead(path));
  std::unique_ptr<StoreDirectory> held(new StoreDirectory(std::move(path), owner));
  ASSIGN_OR_RETURN(held->is_new_, NeedsDatabase(held->database()));
  if (!held->is_new_) return held;
  return absl::NotFoundError(absl::StrCat(held->path(), " has no store in it"));
}

StoreDirectory::StoreDirectory(std::string path, int owner)
    : path_(std::move(path)), owner_(owner) {}

StoreDirectory::~StoreDirectory() {
  if (owner_ >= 0) close(owner_);
}

}  // namespace jobrunner::storage
