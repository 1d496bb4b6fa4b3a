#include "client/library/backoff.h"

#include <algorithm>

namespace jobrunner::client {

void Backoff::Progress() {
  base_ = limits_.pause_min;
  failing_since_.reset();
}

absl::Duration Backoff::AfterFailure(base::SteadyTime now) {
  if (!failing_since_) failing_since_ = now;
  const absl::Duration patience_left = limits_.patience - absl::FromChrono(now - *failing_since_);
  if (patience_left <= absl::ZeroDuration()) return absl::InfiniteDuration();
  const absl::Duration wait = base_ * absl::Uniform(random_, 0.8, 1.2);
  base_ = std::min(base_ * 2, limits_.pause_max);
  return std::min(wait, patience_left);
}

}  // namespace jobrunner::client
