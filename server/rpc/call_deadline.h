// A call's deadline, as the engine takes it.

#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"

namespace jobrunner::rpc {

// The deadline of a call that arrived `now`, on the steady clock, converted once: a jump of the
// wall clock does not move it.
class CallDeadline {
 public:
  CallDeadline(std::chrono::system_clock::time_point deadline, base::Now now);

  // Nothing for a call without one.
  std::optional<base::SteadyTime> time() const { return time_; }

  // Whether a call that ends `now` was ended by its deadline. The client's own watch runs out
  // first: it sends what is left rounded up by as much as a hundredth, and starts counting earlier.
  bool HasPassed(base::SteadyTime now) const;

 private:
  std::optional<base::SteadyTime> time_;
  std::chrono::nanoseconds slack_{0};
};

}  // namespace jobrunner::rpc
