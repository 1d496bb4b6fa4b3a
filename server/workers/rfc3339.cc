#include "workers/rfc3339.h"

#include "absl/time/time.h"

namespace jobrunner::workers {

std::string Rfc3339(base::WallTime time) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", absl::FromChrono(time), absl::UTCTimeZone());
}

}  // namespace jobrunner::workers
