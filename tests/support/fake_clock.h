#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"

namespace jobrunner::test {

// A clock that stands still until it is told to move. Any thread may read and move it.
class FakeClock final : public base::Clock {
 public:
  // Starts an hour after the steady clock's zero, at 2026-01-01T00:00:00Z.
  FakeClock();

  base::Now Read() const override ABSL_LOCKS_EXCLUDED(mutex_);

  // Moves both clocks forward. `duration` is not negative.
  void Advance(std::chrono::nanoseconds duration) ABSL_LOCKS_EXCLUDED(mutex_);

  // Sets the wall clock off by `duration`, which may be negative; the steady clock does not notice.
  void JumpWall(std::chrono::nanoseconds duration) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  base::Now now_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobrunner::test
