#include "rpc/call_deadline.h"

#include <algorithm>

#include "engine/limits.h"
#include "rpc/status.h"

namespace jobrunner::rpc {
namespace {

// The way from the client to here.
constexpr std::chrono::milliseconds kTravel{20};

}  // namespace

CallDeadline::CallDeadline(std::chrono::system_clock::time_point deadline, base::Now now) {
  // gRPC says "none" as the end of time, and what is beyond our longest duration is as good as
  // none.
  const auto wall = std::chrono::time_point_cast<std::chrono::system_clock::duration>(now.wall);
  if (deadline > wall + engine::kDurationMax) return;
  const std::chrono::nanoseconds left =
      std::max<std::chrono::nanoseconds>(deadline - wall, std::chrono::nanoseconds(0));
  time_ = now.steady + left;
  slack_ = kTravel + left / 100;
}

bool CallDeadline::HasPassed(base::SteadyTime now) const { return time_ && now + slack_ >= *time_; }

absl::StatusOr<base::SteadyTime> BatchDeadline(const CallDeadline& call,
                                               const v1::BatchSpec& spec) {
  if (spec.lifetime() != v1::LIFETIME_CALL_DEADLINE) return base::SteadyTime::max();
  if (call.time()) return *call.time();
  return InvalidField("batch.lifetime", "is CALL_DEADLINE, but the call has no deadline");
}

}  // namespace jobrunner::rpc
