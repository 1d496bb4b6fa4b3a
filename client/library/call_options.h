#pragma once

#include <stop_token>

#include "absl/time/time.h"

namespace jobrunner {

// Of one call, with all its tries.
struct CallOptions {
  // Then it ends with DEADLINE_EXCEEDED. Of the call alone: the batch goes on.
  absl::Duration timeout = absl::InfiniteDuration();
  // Ends waits early, with CANCELLED: the pause before another try, and the reading of results.
  // What the server has been asked is awaited, so that no batch is accepted unseen.
  std::stop_token stop = {};
};

}  // namespace jobrunner
