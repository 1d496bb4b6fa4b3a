#include "client/backoff.h"

#include <algorithm>

namespace jobrunner::client {

void Backoff::Progress() {
  base_ = limits_.least;
  failing_since_ = absl::InfiniteFuture();
}

absl::Duration Backoff::AfterFailure(absl::Time now) {
  failing_since_ = std::min(failing_since_, now);
  if (now - failing_since_ >= limits_.patience) return absl::InfiniteDuration();
  const absl::Duration wait = base_ * absl::Uniform(random_, 0.8, 1.2);
  base_ = std::min(base_ * 2, limits_.most);
  return std::min(wait, failing_since_ + limits_.patience - now);
}

}  // namespace jobrunner::client
