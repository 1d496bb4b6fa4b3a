#pragma once

#include <algorithm>
#include <chrono>

#include "absl/time/time.h"
#include "base/clock.h"

namespace jobrunner::client {

// How much is left of a time that begins now, on the steady clock.
class CallTimeout {
 public:
  explicit CallTimeout(absl::Duration whole) : whole_(whole) {}

  absl::Duration whole() const { return whole_; }

  // Infinite if it is not bounded; 0 when it has passed.
  absl::Duration Left() const {
    const auto passed = std::chrono::steady_clock::now() - begin_;
    return std::max(whole_ - absl::FromChrono(passed), absl::ZeroDuration());
  }

 private:
  const absl::Duration whole_;
  const base::SteadyTime begin_ = std::chrono::steady_clock::now();
};

}  // namespace jobrunner::client
