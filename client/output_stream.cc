#include "client/output_stream.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace jobrunner::client {
namespace {

constexpr size_t kPendingMax = 64 << 10;

absl::Status WriteError(int error) {
  if (error == EPIPE) return absl::AbortedError("the reader of the output has gone");
  return absl::ErrnoToStatus(error, "writing the output");
}

// Writes all of it, also to a descriptor that somebody made non-blocking.
absl::Status WriteAll(int fd, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t size = write(fd, text.data() + done, text.size() - done);
    if (size >= 0) {
      done += static_cast<size_t>(size);
    } else if (errno == EAGAIN) {
      pollfd writable = {fd, POLLOUT, 0};
      poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return WriteError(errno);
    }
  }
  return absl::OkStatus();
}

}  // namespace

void OutputStream::Append(const std::string& text) {
  if (text.empty()) return;
  pending_ += text;
  ends_in_line_ = text.back() == '\n';
  if (pending_.size() >= kPendingMax) Flush().IgnoreError();
}

void OutputStream::AppendLines(const std::string& prefix, const std::string& text) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t newline = text.find('\n', begin);
    const size_t end = newline == std::string::npos ? text.size() : newline + 1;
    Append(prefix);
    Append(text.substr(begin, end - begin));
    begin = end;
  }
}

absl::Status OutputStream::Flush() {
  if (status_.ok()) status_ = WriteAll(fd_, pending_);
  pending_.clear();
  return status_;
}

bool OutputStream::is_terminal() const { return isatty(fd_) != 0; }

}  // namespace jobrunner::client
