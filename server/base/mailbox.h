#pragma once

#include <chrono>
#include <iterator>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/monitor.h"

namespace jobrunner::base {

// A queue from many producers to one consumer, who takes all there is at once. What one producer
// puts is taken in that order. Unbounded: who fills it bounds it.
//
// Any thread may put, nudge and close; one thread takes and awaits. Putting holds a lock for a
// push_back, and wakes the consumer only if it sleeps, so under load it makes no system call.
template <class T>
class Mailbox {
 public:
  Mailbox() = default;
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Does not block. False, and the item is dropped, once the mailbox is closed.
  bool Put(T item) ABSL_LOCKS_EXCLUDED(monitor_);

  // Puts all items side by side, or none.
  bool PutAll(std::vector<T> items) ABSL_LOCKS_EXCLUDED(monitor_);

  // The takes below replace the contents of *out; handing in the same vector each time reuses its
  // memory.

  // Blocks until there is something. False when the mailbox is closed and everything was taken.
  bool Take(std::vector<T>* out) ABSL_LOCKS_EXCLUDED(monitor_);

  // As Take, but returns true with *out empty when `deadline` passes first.
  bool TakeUntil(SteadyTime deadline, std::vector<T>* out) ABSL_LOCKS_EXCLUDED(monitor_);

  // Takes what there is, without blocking. False when there is nothing.
  bool TryTake(std::vector<T>* out) ABSL_LOCKS_EXCLUDED(monitor_);

  // Blocks until there is something to take, `deadline` has passed, or somebody nudges; takes
  // nothing. False when the mailbox is closed and everything was taken.
  bool Await(SteadyTime deadline) ABSL_LOCKS_EXCLUDED(monitor_);

  // Ends the Await that is under way, or the next one.
  void Nudge() ABSL_LOCKS_EXCLUDED(monitor_);

  // Whether there is nothing to take, and more may come.
  bool idle() const ABSL_LOCKS_EXCLUDED(monitor_) {
    MonitorLock lock(&monitor_);
    return items_.empty() && !closed_;
  }

  // Whether Close was called.
  bool closed() const ABSL_LOCKS_EXCLUDED(monitor_) {
    MonitorLock lock(&monitor_);
    return closed_;
  }

  // From here on nothing can be put. What was put before can still be taken. May be called twice.
  void Close() ABSL_LOCKS_EXCLUDED(monitor_);

 private:
  // Whether the consumer sleeps and must be signalled, by the caller, after unlocking.
  bool TakeWakeUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
    return std::exchange(consumer_sleeps_, false);
  }

  bool SwapOut(std::vector<T>* out) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
    out->swap(items_);
    return !out->empty() || !closed_;
  }

  mutable Monitor monitor_;
  std::vector<T> items_ ABSL_GUARDED_BY(monitor_);
  bool closed_ ABSL_GUARDED_BY(monitor_) = false;
  bool is_nudged_ ABSL_GUARDED_BY(monitor_) = false;
  bool consumer_sleeps_ ABSL_GUARDED_BY(monitor_) = false;
};

template <class T>
bool Mailbox<T>::Put(T item) {
  bool wake = false;
  {
    MonitorLock lock(&monitor_);
    if (closed_) return false;
    items_.push_back(std::move(item));
    wake = TakeWakeUp();
  }
  if (wake) monitor_.Signal();
  return true;
}

template <class T>
bool Mailbox<T>::PutAll(std::vector<T> items) {
  bool wake = false;
  {
    MonitorLock lock(&monitor_);
    if (closed_) return false;
    if (items.empty()) return true;
    items_.insert(items_.end(), std::make_move_iterator(items.begin()),
                  std::make_move_iterator(items.end()));
    wake = TakeWakeUp();
  }
  if (wake) monitor_.Signal();
  return true;
}

template <class T>
bool Mailbox<T>::Take(std::vector<T>* out) {
  out->clear();
  MonitorLock lock(&monitor_);
  while (items_.empty() && !closed_) {
    consumer_sleeps_ = true;
    monitor_.Wait();
  }
  consumer_sleeps_ = false;
  return SwapOut(out);
}

template <class T>
bool Mailbox<T>::TakeUntil(SteadyTime deadline, std::vector<T>* out) {
  out->clear();
  MonitorLock lock(&monitor_);
  while (items_.empty() && !closed_) {
    consumer_sleeps_ = true;
    if (!monitor_.WaitUntil(deadline)) break;
  }
  consumer_sleeps_ = false;
  return SwapOut(out);
}

template <class T>
bool Mailbox<T>::TryTake(std::vector<T>* out) {
  out->clear();
  MonitorLock lock(&monitor_);
  out->swap(items_);
  return !out->empty();
}

template <class T>
bool Mailbox<T>::Await(SteadyTime deadline) {
  MonitorLock lock(&monitor_);
  const auto has_passed = [&] { return deadline <= std::chrono::steady_clock::now(); };
  while (items_.empty() && !closed_ && !is_nudged_ && !has_passed()) {
    consumer_sleeps_ = true;
    if (deadline == SteadyTime::max()) {
      monitor_.Wait();
    } else {
      monitor_.WaitUntil(deadline);
    }
  }
  consumer_sleeps_ = false;
  is_nudged_ = false;
  return !items_.empty() || !closed_;
}

template <class T>
void Mailbox<T>::Nudge() {
  bool wake = false;
  {
    MonitorLock lock(&monitor_);
    is_nudged_ = true;
    wake = TakeWakeUp();
  }
  if (wake) monitor_.Signal();
}

template <class T>
void Mailbox<T>::Close() {
  {
    MonitorLock lock(&monitor_);
    closed_ = true;
    consumer_sleeps_ = false;
  }
  monitor_.Signal();
}

}  // namespace jobrunner::base
