#include "client/argument_source.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iterator>
#include <string_view>
#include <utility>

namespace jobrunner::client {
namespace {

// Cuts what was read into arguments; the last one may go on in the next piece.
struct ArgumentSplitter {
  char separator;
  std::string unfinished;

  std::deque<std::string> Take(std::string_view piece) {
    std::deque<std::string> arguments;
    for (size_t end; (end = piece.find(separator)) != piece.npos; piece.remove_prefix(end + 1)) {
      unfinished += piece.substr(0, end);
      arguments.push_back(std::exchange(unfinished, {}));
    }
    unfinished += piece;
    return arguments;
  }
};

}  // namespace

ArgumentSource::ArgumentSource(std::vector<std::string> arguments)
    : held_(std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end())),
      ended_(true) {}

ArgumentSource::ArgumentSource(int fd, char separator, std::function<void()> on_change)
    : on_change_(std::move(on_change)),
      wake_fd_(eventfd(0, EFD_CLOEXEC)),
      reader_([this, fd, separator] { Read(fd, separator); }) {}

ArgumentSource::~ArgumentSource() {
  if (!reader_.joinable()) return;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  eventfd_write(wake_fd_, 1);
  reader_.join();
  close(wake_fd_);
}

ArgumentSource::State ArgumentSource::Look() const {
  absl::MutexLock lock(&mutex_);
  return {held_.size(), ended_, error_};
}

std::vector<std::string> ArgumentSource::Take(size_t count_max, size_t bytes_max,
                                              size_t bytes_each) {
  std::vector<std::string> taken;
  absl::MutexLock lock(&mutex_);
  for (size_t bytes = 0; taken.size() < count_max && !held_.empty(); held_.pop_front()) {
    bytes += held_.front().size() + bytes_each;
    if (bytes > bytes_max && !taken.empty()) break;
    taken.push_back(std::move(held_.front()));
  }
  return taken;
}

void ArgumentSource::Read(int fd, char separator) {
  ArgumentSplitter splitter{separator, {}};
  std::array<char, 65536> buffer;
  while (WaitReadable(fd)) {
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size < 0) return End(absl::ErrnoToStatus(errno, "reading the arguments"));
    if (size == 0) {
      // The last line need not end in a newline.
      if (!splitter.unfinished.empty()) Hold({splitter.unfinished});
      return End(absl::OkStatus());
    }
    if (!Hold(splitter.Take({buffer.data(), static_cast<size_t>(size)}))) return;
  }
}

bool ArgumentSource::WaitReadable(int fd) const {
  std::array<pollfd, 2> fds = {{{fd, POLLIN, 0}, {wake_fd_, POLLIN, 0}}};
  while (poll(fds.data(), fds.size(), -1) < 0) {
  }
  return fds[1].revents == 0;
}

bool ArgumentSource::Hold(std::deque<std::string> arguments) {
  if (arguments.empty()) return true;
  {
    absl::MutexLock lock(&mutex_);
    held_.insert(held_.end(), std::make_move_iterator(arguments.begin()),
                 std::make_move_iterator(arguments.end()));
  }
  on_change_();
  const auto may_go_on = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return held_.size() < kHeldMax || stopping_;
  };
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&may_go_on));
  return !stopping_;
}

void ArgumentSource::End(absl::Status error) {
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    error_ = std::move(error);
  }
  on_change_();
}

}  // namespace jobrunner::client
