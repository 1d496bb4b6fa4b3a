// The last resort against an end that does not come.

#pragma once

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "base/clock.h"
#include "base/monitor.h"

namespace jobrunner::server {

// Ends the process at a deadline, unless it is destroyed before. Any thread.
class HardExit {
 public:
  // `last` is called just before, on a thread of its own; it is to end the process.
  explicit HardExit(std::function<void()> last);
  ~HardExit();
  HardExit(const HardExit&) = delete;
  HardExit& operator=(const HardExit&) = delete;

  // The process has until `deadline`. The earliest counts.
  void By(base::SteadyTime deadline) ABSL_LOCKS_EXCLUDED(monitor_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(monitor_);

  const std::function<void()> last_;
  base::Monitor monitor_;
  base::SteadyTime deadline_ ABSL_GUARDED_BY(monitor_) = base::SteadyTime::max();
  bool averted_ ABSL_GUARDED_BY(monitor_) = false;
  std::thread thread_;
};

}  // namespace jobrunner::server
