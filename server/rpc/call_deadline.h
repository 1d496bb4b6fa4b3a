// A call's deadline, as the engine takes it.

#pragma once

#include <chrono>
#include <optional>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "jobrunner/v1/batch.pb.h"

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

// When the end of the call that submits it ends the batch too, which LIFETIME_CALL_DEADLINE says;
// base::SteadyTime::max() otherwise. INVALID_ARGUMENT if the call has no deadline.
absl::StatusOr<base::SteadyTime> BatchDeadline(const CallDeadline& call, const v1::BatchSpec& spec);

}  // namespace jobrunner::rpc
