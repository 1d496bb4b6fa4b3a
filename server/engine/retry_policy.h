// Whether and when a failed attempt is tried again: gRPC's retryPolicy (gRFC A6) with exit codes.

#pragma once

#include <chrono>
#include <cstdint>

#include "base/prng.h"
#include "engine/attempt.h"
#include "jobrunner/v1/job.pb.h"

namespace jobrunner::engine {

// Whether `failure` of the attempt that is `counted` (from 1; lost ones do not count) may be tried
// again. `exit_code` is 0 where there is none. Null policy: one attempt.
bool MayRetry(const v1::RetryPolicy* policy, int32_t counted, const Failure& failure,
              int32_t exit_code);

// The wait before the attempt that follows `counted`:
// min(initial_backoff * multiplier^(counted - 1), max_backoff) * random(1 - jitter, 1 + jitter).
std::chrono::nanoseconds Backoff(const v1::RetryPolicy& policy, int32_t counted, base::Prng& prng);

}  // namespace jobrunner::engine
