#include "web/peer_stream.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace jobrunner::web {
namespace {

constexpr size_t kReceiveBytes = 4 << 10;
constexpr std::chrono::milliseconds kStopPatience{1000};

int MillisecondsUntil(base::SteadyTime deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      deadline - base::SteadyTime(std::chrono::steady_clock::now()));
  return static_cast<int>(std::max<int64_t>(left.count(), 0));
}

}  // namespace

PeerStream::PeerStream(int fd, int stop_fd, base::SteadyTime deadline, std::function<void()> waits)
    : fd_(fd), stop_fd_(stop_fd), waits_(std::move(waits)), deadline_(deadline) {}

PeerStream::~PeerStream() { close(fd_); }

// cpp-httplib asks these before it reads or writes, which wait themselves.
bool PeerStream::is_readable() const { return true; }
bool PeerStream::is_writable() const { return true; }

ssize_t PeerStream::read(char* to, size_t size) {
  if (taken_ == buffer_.size()) {
    buffer_.resize(std::min<int64_t>(kReceiveBytes, bytes_left_));
    const ssize_t n = Receive(buffer_.data(), buffer_.size());
    taken_ = 0;
    buffer_.resize(std::max<ssize_t>(n, 0));
    bytes_left_ -= std::max<ssize_t>(n, 0);
    if (n <= 0) return n;
  }
  const size_t n = std::min(size, buffer_.size() - taken_);
  std::memcpy(to, buffer_.data() + taken_, n);
  taken_ += n;
  return static_cast<ssize_t>(n);
}

ssize_t PeerStream::Receive(char* to, size_t size) {
  if (size == 0) return -1;
  while (true) {
    const ssize_t n = recv(fd_, to, size, 0);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    if (errno != EAGAIN || !Await(POLLIN)) return -1;
  }
}

ssize_t PeerStream::write(const char* from, size_t size) {
  while (true) {
    const ssize_t n = send(fd_, from, size, MSG_NOSIGNAL);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    if (errno != EAGAIN || !Await(POLLOUT)) return -1;
  }
}

bool PeerStream::Await(short events) {
  waiting_ = true;
  waits_();
  bool ready = false;
  while (!ready && MillisecondsUntil(deadline_) > 0) {
    // A negative descriptor is left out.
    std::array<pollfd, 2> fds{{{fd_, events, 0}, {stopping_ ? -1 : stop_fd_, POLLIN, 0}}};
    poll(fds.data(), fds.size(), MillisecondsUntil(deadline_));
    ready = fds[0].revents != 0;
    if (fds[1].revents != 0) ObeyStop(events);
  }
  waiting_ = false;
  return ready;
}

void PeerStream::ObeyStop(short events) {
  stopping_ = true;
  const base::SteadyTime now = std::chrono::steady_clock::now();
  deadline_ = events == POLLIN ? now : std::min<base::SteadyTime>(deadline_, now + kStopPatience);
}

void PeerStream::Interrupt() { shutdown(fd_, SHUT_RDWR); }

// Nothing here asks who the peer is.
void PeerStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void PeerStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace jobrunner::web
