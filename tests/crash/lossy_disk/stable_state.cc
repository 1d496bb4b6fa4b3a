#include "stable_state.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <utility>

#include "real_calls.h"

namespace jobrunner::crash {
namespace {

namespace fs = std::filesystem;

int OpenLog(const std::string& directory) {
  const int log =
      Real().open((directory + "/log").c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  // Without it nothing would be found stable, and every test would say so.
  if (log < 0) abort();
  return log;
}

// The names of `from`, in `to`. What goes meanwhile is not there.
void LinkEntries(const std::string& from, const std::string& to) {
  std::unique_ptr<DIR, int (*)(DIR*)> source(opendir(from.c_str()), closedir);
  std::unique_ptr<DIR, int (*)(DIR*)> target(opendir(to.c_str()), closedir);
  if (source == nullptr || target == nullptr) abort();
  while (const dirent* entry = readdir(source.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (entry->d_type == DT_DIR) {
      mkdirat(dirfd(target.get()), entry->d_name, 0700);
    } else {
      linkat(dirfd(source.get()), entry->d_name, dirfd(target.get()), entry->d_name, 0);
    }
  }
}

}  // namespace

StableState::StableState(std::string directory)
    : directory_(std::move(directory)), log_(OpenLog(directory_)) {}

void StableState::Opened(const struct stat& file) {
  const std::lock_guard lock(mutex_);
  if (file.st_size == 0) {
    SetLength(file.st_ino, 0);
  } else {
    lengths_.emplace(file.st_ino, file.st_size);
  }
}

void StableState::Writing(const struct stat& file, off_t offset) {
  const std::lock_guard lock(mutex_);
  const auto found = lengths_.find(file.st_ino);
  if (found == lengths_.end() || offset >= found->second) return;
  Append("overwritten " + std::to_string(file.st_ino));
}

void StableState::Truncated(const struct stat& file, off_t length) {
  const std::lock_guard lock(mutex_);
  const auto found = lengths_.find(file.st_ino);
  if (found != lengths_.end() && length < found->second) SetLength(file.st_ino, length);
}

void StableState::Synced(const struct stat& file) {
  const std::lock_guard lock(mutex_);
  // Another thread may have synced more meanwhile.
  const auto found = lengths_.find(file.st_ino);
  if (found == lengths_.end() || file.st_size > found->second) {
    SetLength(file.st_ino, file.st_size);
  }
}

void StableState::Mapped(const struct stat& file, int fd) {
  const std::lock_guard lock(mutex_);
  const std::string name = NewSnapshot();
  std::string bytes(static_cast<size_t>(file.st_size), 0);
  const int copy = Real().open((directory_ + "/snapshots/" + name).c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool copied = pread(fd, bytes.data(), bytes.size(), 0) == file.st_size &&
                      Real().write(copy, bytes.data(), bytes.size()) == file.st_size;
  if (!copied) abort();
  close(copy);
  Append("mapped " + name + " " + std::to_string(file.st_ino));
}

void StableState::DirectorySynced(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const std::string name = NewSnapshot();
  const std::string snapshot = directory_ + "/snapshots/" + name;
  mkdir(snapshot.c_str(), 0700);
  LinkEntries(directory_ + "/disk/" + path, snapshot);
  Append("entries " + name + " " + path);
  const std::string before = std::exchange(snapshots_[path], snapshot);
  std::error_code error;
  if (!before.empty()) fs::remove_all(before, error);
}

std::string StableState::NewSnapshot() {
  return std::to_string(getpid()) + "-" + std::to_string(++last_snapshot_);
}

void StableState::SetLength(ino_t inode, off_t length) {
  lengths_[inode] = length;
  Append("synced " + std::to_string(inode) + " " + std::to_string(length));
}

// In one piece, so that a kill leaves whole lines.
void StableState::Append(const std::string& line) {
  const std::string text = line + "\n";
  if (Real().write(log_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) abort();
}

}  // namespace jobrunner::crash
