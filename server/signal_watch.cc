#include "server/signal_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

namespace jobrunner::server {
namespace {

sigset_t SteeringSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

int OpenSignalFd() {
  const sigset_t signals = SteeringSignals();
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace

void BlockSignals() {
  const sigset_t signals = SteeringSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

SignalWatch::SignalWatch(std::function<void(int)> came, int life_fd, std::function<void()> ended)
    : came_(std::move(came)),
      ended_(std::move(ended)),
      signal_fd_(OpenSignalFd()),
      stop_fd_(eventfd(0, EFD_CLOEXEC)),
      life_fd_(life_fd) {
  if (life_fd_ >= 0) {
    fcntl(life_fd_, F_SETFD, FD_CLOEXEC);
    fcntl(life_fd_, F_SETFL, fcntl(life_fd_, F_GETFL) | O_NONBLOCK);
  }
  thread_ = std::thread([this] { Run(); });
}

SignalWatch::~SignalWatch() {
  eventfd_write(stop_fd_, 1);
  thread_.join();
  close(signal_fd_);
  close(stop_fd_);
  if (life_fd_ >= 0) close(life_fd_);
}

void SignalWatch::Run() {
  while (true) {
    std::array<pollfd, 3> fds{
        {{stop_fd_, POLLIN, 0}, {signal_fd_, POLLIN, 0}, {life_fd_, POLLIN, 0}}};
    poll(fds.data(), fds.size(), -1);
    if (fds[0].revents != 0) return;
    if (fds[1].revents != 0) ReadSignals();
    if (fds[2].revents != 0) ReadLife();
  }
}

void SignalWatch::ReadSignals() {
  signalfd_siginfo info;
  while (read(signal_fd_, &info, sizeof(info)) == sizeof(info)) {
    came_(static_cast<int>(info.ssi_signo));
  }
}

// Whatever is written there is of no meaning.
void SignalWatch::ReadLife() {
  std::array<char, 256> ignored;
  const ssize_t n = read(life_fd_, ignored.data(), ignored.size());
  if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN))) return;
  close(std::exchange(life_fd_, -1));
  ended_();
}

}  // namespace jobrunner::server
