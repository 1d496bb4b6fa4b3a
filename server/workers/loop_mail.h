// What a loop of attempts is told by other threads.

#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/attempt.h"
#include "workers/poller.h"

namespace jobrunner::workers {

// Attempts to run, stops and the end, on their way to the one thread that runs the attempts and
// waits with a poller. Any thread may put; no call blocks.
template <class Attempt>
class LoopMail {
 public:
  struct Contents {
    std::vector<std::unique_ptr<Attempt>> attempts;
    std::vector<engine::StopOrder> orders;
    bool end = false;
  };

  // `poller` outlives it.
  explicit LoopMail(Poller* poller) : poller_(*poller) {}

  // Calls `add` with the attempts that are there, for it to add some, and to wake the loop when it
  // has to. Nothing is taken before it returns.
  template <typename Add>
  void Put(Add add) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    add(&contents_.attempts);
  }

  void Stop(const std::vector<engine::StopOrder>& orders) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    contents_.orders.insert(contents_.orders.end(), orders.begin(), orders.end());
    poller_.Wake();
  }

  void End() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    contents_.end = true;
    poller_.Wake();
  }

  // For the loop: all that there is.
  Contents Take() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return std::exchange(contents_, {});
  }

 private:
  Poller& poller_;
  absl::Mutex mutex_;
  Contents contents_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobrunner::workers
