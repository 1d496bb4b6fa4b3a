#pragma once

#include "absl/random/random.h"
#include "absl/time/time.h"

namespace jobrunner::client {

// Waits between tries of a call: doubling from `least` to `most`, each times a random factor in
// [0.8, 1.2], and no more once `patience` has passed without progress. Not thread-safe.
class Backoff {
 public:
  struct Limits {
    absl::Duration least = absl::Milliseconds(100);
    absl::Duration most = absl::Seconds(5);
    // 0: never try again.
    absl::Duration patience = absl::Seconds(60);
  };

  explicit Backoff(Limits limits) : limits_(limits), base_(limits.least) {}

  // Something worked: the next failure waits `least`, with all of the patience before it.
  void Progress();

  // How long to wait after a failure at `now`; infinite when the patience has passed.
  absl::Duration AfterFailure(absl::Time now);

 private:
  const Limits limits_;
  absl::Duration base_;
  absl::Time failing_since_ = absl::InfiniteFuture();
  absl::BitGen random_;
};

}  // namespace jobrunner::client
