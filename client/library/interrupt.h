#pragma once

#include <algorithm>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/monitor.h"

namespace jobrunner::client {

// Ends waits early, from any thread, for good.
class Interrupt {
 public:
  void Fire() {
    {
      base::MonitorLock lock(&monitor_);
      fired_ = true;
    }
    monitor_.SignalAll();
  }

  // False when it was fired before or while waiting. A day at most, on the steady clock.
  bool Sleep(absl::Duration duration) {
    const base::SteadyTime deadline =
        std::chrono::steady_clock::now() +
        absl::ToChronoNanoseconds(std::min(duration, absl::Hours(24)));
    base::MonitorLock lock(&monitor_);
    while (!fired_ && monitor_.WaitUntil(deadline)) {
    }
    return !fired_;
  }

 private:
  base::Monitor monitor_;
  bool fired_ ABSL_GUARDED_BY(monitor_) = false;
};

}  // namespace jobrunner::client
