// A library that is loaded before a server's others (LD_PRELOAD) and stands before the C library's
// file calls: it watches what becomes stable of a directory, and kills the process where a test
// says. The server is the real one, and knows nothing of it.
//
//   LOSSY_DISK=DIRECTORY   see stable_state.h
//   LOSSY_DISK_SYNC=off    syncs of RocksDB's write-ahead logs (*.log) are answered and not done,
//   as
//                          with WriteOptions::sync = false: what must be found out
//
// Only what a store does is covered: files that are appended to, synced, linked, renamed, removed.
// A file that is changed where it was stable is written down, for the test to fail.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdarg>
#include <optional>
#include <string_view>

#include "real_calls.h"
#include "watched_disk.h"

namespace jobrunner::crash {
namespace {

std::optional<Watched> FindWatched(int fd) {
  return Disk() == nullptr ? std::nullopt : Disk()->Find(fd);
}

int Open(const char* path, int flags, mode_t mode) {
  const int fd = Real().open(path, flags, mode);
  if (fd < 0 || (flags & O_ACCMODE) == O_RDONLY) return fd;
  if (const auto file = FindWatched(fd)) {
    Disk()->stable().Opened(file->status);
    if ((flags & O_CREAT) != 0) Disk()->point().Passed(kCreated, file->path);
  }
  return fd;
}

off_t NextOffset(int fd, const Watched& file) {
  return (fcntl(fd, F_GETFL) & O_APPEND) != 0 ? file.status.st_size : lseek(fd, 0, SEEK_CUR);
}

// `write` does it, for as many of the bytes as it is told.
template <typename Write>
ssize_t WriteAt(const Watched& file, off_t offset, const void* data, size_t size, Write write) {
  const std::string_view bytes(static_cast<const char*>(data), size);
  Disk()->stable().Writing(file.status, offset);
  if (Disk()->point().Reached(kTorn, file.path, bytes)) {
    write(size / 2);
    Disk()->point().DieAt(kTorn, file.path);
  }
  const ssize_t written = write(size);
  if (written > 0) Disk()->point().Passed(kWritten, file.path, bytes);
  return written;
}

int Sync(int fd, int (*sync)(int)) {
  const auto file = FindWatched(fd);
  if (!file) return sync(fd);
  if (!Disk()->Syncs(*file)) return 0;
  if (const int result = sync(fd); result != 0) return result;
  if (S_ISDIR(file->status.st_mode)) {
    Disk()->stable().DirectorySynced(file->path);
  } else {
    // What others have written since is not counted.
    Disk()->stable().Synced(file->status);
  }
  Disk()->point().Passed(kSynced, file->path);
  return 0;
}

// A call that names a file was done.
int Named(int result, Call call, const char* path) {
  if (result != 0 || Disk() == nullptr) return result;
  if (const auto within = Disk()->Within(path)) Disk()->point().Passed(call, *within);
  return result;
}

}  // namespace
}  // namespace jobrunner::crash

// The C library's own names and types.
extern "C" {

using jobrunner::crash::Disk;
using jobrunner::crash::FindWatched;
using jobrunner::crash::Named;
using jobrunner::crash::Real;

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  return jobrunner::crash::Open(path, flags, mode);
}

ssize_t write(int fd, const void* data, size_t size) {
  const auto file = FindWatched(fd);
  if (!file) return Real().write(fd, data, size);
  return jobrunner::crash::WriteAt(*file, jobrunner::crash::NextOffset(fd, *file), data, size,
                                   [&](size_t part) { return Real().write(fd, data, part); });
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  const auto file = FindWatched(fd);
  if (!file) return Real().pwrite(fd, data, size, offset);
  return jobrunner::crash::WriteAt(*file, offset, data, size, [&](size_t part) {
    return Real().pwrite(fd, data, part, offset);
  });
}

int ftruncate(int fd, off_t length) noexcept {
  const auto file = FindWatched(fd);
  const int result = Real().ftruncate(fd, length);
  if (result == 0 && file) Disk()->stable().Truncated(file->status, length);
  return result;
}

void* mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  if (fd >= 0 && (protection & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0) {
    if (const auto file = FindWatched(fd)) Disk()->stable().Mapped(file->status, fd);
  }
  return jobrunner::crash::RealMmap(address, size, protection, flags, fd, offset);
}

int fsync(int fd) { return jobrunner::crash::Sync(fd, Real().fsync); }

int fdatasync(int fd) { return jobrunner::crash::Sync(fd, Real().fdatasync); }

int rename(const char* from, const char* to) noexcept {
  return Named(Real().rename(from, to), jobrunner::crash::kRenamed, to);
}

int unlink(const char* path) noexcept {
  return Named(Real().unlink(path), jobrunner::crash::kUnlinked, path);
}

int link(const char* from, const char* to) noexcept {
  return Named(Real().link(from, to), jobrunner::crash::kLinked, to);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  const ssize_t sent = Real().sendmsg(fd, message, flags);
  if (sent > 0 && Disk() != nullptr) Disk()->point().Sent(message->msg_iov, message->msg_iovlen);
  return sent;
}

}  // extern "C"
