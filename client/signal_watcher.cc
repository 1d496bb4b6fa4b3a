#include "client/signal_watcher.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace jobrunner::client {
namespace {

// Under nohup, or as a background job of a script, some are ignored, and stay so.
bool IsIgnored(int number) {
  struct sigaction action;
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

int BlockedSignalsFd() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (!IsIgnored(number)) sigaddset(&signals, number);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

}  // namespace

SignalWatcher::SignalWatcher() : signal_fd_(BlockedSignalsFd()), wake_fd_(eventfd(0, EFD_CLOEXEC)) {
  signal(SIGPIPE, SIG_IGN);
  thread_ = std::thread([this] { Watch(); });
}

SignalWatcher::~SignalWatcher() {
  eventfd_write(wake_fd_, 1);
  thread_.join();
  close(wake_fd_);
  close(signal_fd_);
}

void SignalWatcher::Tell(std::function<void(int)> on_signal) {
  absl::MutexLock lock(&mutex_);
  on_signal_ = std::move(on_signal);
}

void SignalWatcher::Watch() {
  std::array<pollfd, 2> fds = {{{signal_fd_, POLLIN, 0}, {wake_fd_, POLLIN, 0}}};
  for (;;) {
    if (poll(fds.data(), fds.size(), -1) < 0) continue;
    if (fds[1].revents != 0) return;
    signalfd_siginfo info;
    if (read(signal_fd_, &info, sizeof info) == sizeof info) Take(static_cast<int>(info.ssi_signo));
  }
}

void SignalWatcher::Take(int signal) {
  absl::MutexLock lock(&mutex_);
  // Also when the callback's work is stuck: the person asked twice.
  if (told_ || !on_signal_) _exit(128 + signal);
  told_ = true;
  on_signal_(signal);
}

}  // namespace jobrunner::client
