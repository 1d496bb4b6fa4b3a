#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace jobrunner::client {

// Ends waits early, from any thread, for good.
class Interrupt {
 public:
  void Fire() {
    absl::MutexLock lock(&mutex_);
    fired_ = true;
  }

  bool fired() const {
    absl::MutexLock lock(&mutex_);
    return fired_;
  }

  // False when it was fired before or while waiting.
  bool Sleep(absl::Duration duration) {
    absl::MutexLock lock(&mutex_);
    return !mutex_.AwaitWithTimeout(absl::Condition(&fired_), duration);
  }

 private:
  mutable absl::Mutex mutex_;
  bool fired_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace jobrunner::client
