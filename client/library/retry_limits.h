#pragma once

#include "absl/time/time.h"

namespace jobrunner {

// How calls are tried again, and broken streams taken up again, while a server is away or full.
struct RetryLimits {
  // Between tries: from the first to the second, doubling, each times a random factor in
  // [0.8, 1.2].
  absl::Duration pause_min = absl::Milliseconds(100);
  absl::Duration pause_max = absl::Seconds(5);
  // Given up when so long nothing has come of the tries. 0: never tried again.
  absl::Duration patience = absl::Seconds(60);
  // A stream that lasted so long was served, even if nothing happened in its batch, and so is no
  // failed try. Longer than a connection may take (20 s in gRPC).
  absl::Duration served_after = absl::Seconds(30);
};

}  // namespace jobrunner
