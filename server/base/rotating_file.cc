#include "base/rotating_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace jobrunner::base {
namespace {

// O_NONBLOCK means nothing to a regular file; it keeps a FIFO without a reader from blocking.
int OpenForAppending(const std::string& path) {
  return open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
}

// How many of the bytes were written before the first error.
size_t WriteUntilError(int fd, std::string_view bytes) {
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = write(fd, bytes.data() + written, bytes.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    written += static_cast<size_t>(n);
  }
  return written;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RotatingFile>> RotatingFile::Open(std::string path, off_t bytes_max,
                                                                 int files_kept) {
  const int fd = OpenForAppending(path);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open log file ", path));
  return std::unique_ptr<RotatingFile>(
      new RotatingFile(std::move(path), bytes_max, files_kept, fd));
}

RotatingFile::RotatingFile(std::string path, off_t bytes_max, int files_kept, int fd)
    : path_(std::move(path)), bytes_max_(bytes_max), files_kept_(files_kept), fd_(fd) {
  struct stat status {};
  if (fstat(fd_, &status) == 0) {
    is_regular_ = S_ISREG(status.st_mode);
    size_ = status.st_size;
  }
}

RotatingFile::~RotatingFile() { close(fd_); }

bool RotatingFile::Write(std::string_view line) {
  const off_t line_size = static_cast<off_t>(line.size());
  if (is_regular_ && size_ > 0 && size_ + line_size > bytes_max_) Rotate();
  const size_t written = WriteUntilError(fd_, line);
  if (written == line.size()) {
    size_ += line_size;
    return true;
  }
  // Takes a half-written line back, so that the next one starts on a line of its own.
  if (is_regular_ && written > 0 && ftruncate(fd_, size_) != 0) {
    size_ += static_cast<off_t>(written);
  }
  return false;
}

// The new file is opened before the old one is put aside: when that fails (no descriptor left, a
// directory that became read-only), writing goes on in the old file.
void RotatingFile::Rotate() {
  const std::string next = path_ + ".next";
  const int next_fd = OpenForAppending(next);
  if (next_fd < 0) return;
  for (int number = files_kept_; number > 1; --number) {
    std::rename(PutAsideName(number - 1).c_str(), PutAsideName(number).c_str());
  }
  if (files_kept_ > 0) std::rename(path_.c_str(), PutAsideName(1).c_str());
  std::rename(next.c_str(), path_.c_str());
  close(fd_);
  fd_ = next_fd;
  size_ = 0;
}

std::string RotatingFile::PutAsideName(int number) const {
  return absl::StrCat(path_, ".", number);
}

}  // namespace jobrunner::base
