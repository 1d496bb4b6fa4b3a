#pragma once

#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "base/clock.h"

namespace jobrunner::base {

// A mutex with a condition that can be waited for until a moment of the steady clock. (The timed
// waits of absl::Mutex and absl::CondVar run on the wall clock, which may jump.)
class ABSL_LOCKABLE Monitor {
 public:
  Monitor() = default;
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

  // Blocks until signalled; may also return for no reason, so wait in a loop.
  void Wait() ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    std::unique_lock<std::mutex> lock(mutex_, std::adopt_lock);
    signal_.wait(lock);
    lock.release();
  }

  // As Wait, but returns false when `deadline` has passed.
  bool WaitUntil(SteadyTime deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    std::unique_lock<std::mutex> lock(mutex_, std::adopt_lock);
    const std::cv_status status = signal_.wait_until(lock, deadline);
    lock.release();
    return status == std::cv_status::no_timeout;
  }

  // Wake one thread that waits, or all. Best called after unlocking.
  void Signal() { signal_.notify_one(); }
  void SignalAll() { signal_.notify_all(); }

 private:
  std::mutex mutex_;
  std::condition_variable signal_;
};

// Holds a monitor's lock to the end of the scope.
class ABSL_SCOPED_LOCKABLE MonitorLock {
 public:
  explicit MonitorLock(Monitor* monitor) ABSL_EXCLUSIVE_LOCK_FUNCTION(monitor)
      : monitor_(*monitor) {
    monitor_.Lock();
  }
  ~MonitorLock() ABSL_UNLOCK_FUNCTION() { monitor_.Unlock(); }
  MonitorLock(const MonitorLock&) = delete;
  MonitorLock& operator=(const MonitorLock&) = delete;

 private:
  Monitor& monitor_;
};

}  // namespace jobrunner::base
