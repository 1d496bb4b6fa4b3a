#include "server/commands_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace jobrunner::server {
namespace {

// flock(2) has no time limit of its own.
constexpr std::chrono::milliseconds kLookEvery{5};

}  // namespace

absl::StatusOr<CommandsLock> CommandsLock::Take(const std::string& path,
                                                std::chrono::nanoseconds patience) {
  CommandsLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.fd_ < 0) return absl::ErrnoToStatus(errno, absl::StrCat("opening ", path));
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return absl::ErrnoToStatus(errno, absl::StrCat("locking ", path));
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return absl::UnavailableError(absl::StrCat(
          path, ": commands of the server that was here before have not ended in time"));
    }
    std::this_thread::sleep_for(kLookEvery);
  }
  return lock;
}

CommandsLock::CommandsLock(CommandsLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

CommandsLock& CommandsLock::operator=(CommandsLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

CommandsLock::~CommandsLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace jobrunner::server
