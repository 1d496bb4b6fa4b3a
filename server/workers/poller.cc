#include "workers/poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace jobrunner::workers {
namespace {

constexpr uint64_t kWakeTag = ~uint64_t{0};
constexpr uint64_t kAlarmTag = kWakeTag - 1;
constexpr int kReadyMax = 64;

// Rounded up, so that the deadline has passed when the wait ends; -1 waits for ever.
int MillisecondsUntil(base::SteadyTime deadline) {
  using std::chrono::milliseconds;
  if (deadline == base::SteadyTime::max()) return -1;
  const base::SteadyTime now = std::chrono::steady_clock::now();
  if (deadline <= now) return 0;
  const auto wait = std::chrono::ceil<milliseconds>(deadline - now);
  return static_cast<int>(std::min(wait, milliseconds(std::chrono::hours(1))).count());
}

bool Control(int epoll, int operation, int fd, uint32_t events, uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return epoll_ctl(epoll, operation, fd, &event) == 0;
}

// Of an eventfd or a timerfd.
void Reset(const UniqueFd& counter) {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t bytes = read(counter.get(), &count, sizeof(count));
}

}  // namespace

absl::StatusOr<Poller> Poller::Create() {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  UniqueFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  UniqueFd alarm(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!epoll.is_open() || !wake.is_open() || !alarm.is_open() ||
      !Control(epoll.get(), EPOLL_CTL_ADD, wake.get(), EPOLLIN, kWakeTag) ||
      !Control(epoll.get(), EPOLL_CTL_ADD, alarm.get(), EPOLLIN, kAlarmTag)) {
    return absl::UnavailableError(absl::StrCat("epoll: ", strerror(errno)));
  }
  return Poller(std::move(epoll), std::move(wake), std::move(alarm));
}

bool Poller::Watch(int fd, uint64_t tag) {
  return Control(epoll_.get(), EPOLL_CTL_ADD, fd, EPOLLIN, tag);
}

void Poller::WatchWritable(int fd, uint64_t tag, bool on) {
  const uint32_t events = on ? EPOLLIN | EPOLLOUT : EPOLLIN;
  Control(epoll_.get(), EPOLL_CTL_MOD, fd, events, tag);
}

void Poller::Unwatch(int fd) { Control(epoll_.get(), EPOLL_CTL_DEL, fd, 0, 0); }

void Poller::Wait(base::SteadyTime deadline, std::vector<uint64_t>* ready) {
  ready->clear();
  epoll_event events[kReadyMax];
  const int count = epoll_wait(epoll_.get(), events, kReadyMax, MillisecondsUntil(deadline));
  for (int i = 0; i < count; ++i) {
    // A copy: the struct is packed, so nothing may refer to what is in it.
    const uint64_t tag = events[i].data.u64;
    if (tag == kWakeTag) {
      Reset(wake_);
    } else if (tag == kAlarmTag) {
      Reset(alarm_);
    } else {
      ready->push_back(tag);
    }
  }
}

void Poller::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t bytes = write(wake_.get(), &one, sizeof(one));
}

void Poller::WakeAt(base::SteadyTime time) {
  const int64_t ns = time.time_since_epoch().count();
  itimerspec alarm{};
  alarm.it_value = {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  timerfd_settime(alarm_.get(), TFD_TIMER_ABSTIME, &alarm, nullptr);
}

}  // namespace jobrunner::workers
