#pragma once

#include <optional>

#include "absl/random/random.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "client/library/retry_limits.h"

namespace jobrunner::client {

// The pauses between tries of a call, as RetryLimits say. Not thread-safe.
class Backoff {
 public:
  explicit Backoff(RetryLimits limits) : limits_(limits), base_(limits.pause_min) {}

  // Something worked: the next failure waits `pause_min`, with all of the patience before it.
  void Progress();

  // How long to wait after a failure at `now`; infinite when the patience has passed.
  absl::Duration AfterFailure(base::SteadyTime now);

 private:
  const RetryLimits limits_;
  absl::Duration base_;
  std::optional<base::SteadyTime> failing_since_;
  absl::BitGen random_;
};

}  // namespace jobrunner::client
