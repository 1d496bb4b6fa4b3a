#include "base/console.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace jobrunner::base {
namespace {

constexpr int kPatienceMs = 100;

}  // namespace

// A pipe that polls as writable has room for PIPE_BUF bytes, so that no write of that size blocks.
bool Console::Write(std::string_view line) {
  while (!line.empty()) {
    if (!WaitUntilWritable()) return false;
    const ssize_t n = write(fd_, line.data(), std::min<size_t>(line.size(), PIPE_BUF));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    line.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

bool Console::WaitUntilWritable() {
  pollfd poll_fd{fd_, POLLOUT, 0};
  const int ready = poll(&poll_fd, 1, reader_stalled_ ? 0 : kPatienceMs);
  reader_stalled_ = ready == 0;
  return ready > 0;
}

}  // namespace jobrunner::base
