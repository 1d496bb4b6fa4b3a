#include "engine/retry_policy.h"

#include <algorithm>
#include <cmath>

#include "engine/limits.h"
#include "engine/proto_time.h"

namespace jobrunner::engine {
namespace {

template <typename List>
bool Has(const List& list, int32_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool Names(const v1::RetryPolicy& policy, const Failure& failure, int32_t exit_code) {
  if (policy.retryable_codes().empty() && policy.retryable_exit_codes().empty()) {
    // No list: every failure but those that say themselves that trying again is of no use.
    return !failure.final;
  }
  return Has(policy.retryable_codes(), failure.code) ||
         (failure.reason == v1::REASON_EXIT_CODE && Has(policy.retryable_exit_codes(), exit_code));
}

}  // namespace

bool MayRetry(const v1::RetryPolicy* policy, int32_t counted, const Failure& failure,
              int32_t exit_code) {
  if (policy == nullptr || counted >= policy->max_attempts()) return false;
  if (failure.critical) return false;
  return Names(*policy, failure, exit_code);
}

std::chrono::nanoseconds Backoff(const v1::RetryPolicy& policy, int32_t counted, base::Prng& prng) {
  const double initial = static_cast<double>(
      (policy.has_initial_backoff() ? FromDuration(policy.initial_backoff())
                                    : std::chrono::nanoseconds(kInitialBackoffDefault))
          .count());
  const double most =
      static_cast<double>((policy.has_max_backoff() ? FromDuration(policy.max_backoff())
                                                    : std::chrono::nanoseconds(kMaxBackoffDefault))
                              .count());
  const double multiplier =
      policy.has_backoff_multiplier() ? policy.backoff_multiplier() : kBackoffMultiplierDefault;
  const double jitter = policy.has_jitter() ? policy.jitter() : kJitterDefault;
  // pow may be infinite; the minimum is not.
  const double backoff = std::min(initial * std::pow(multiplier, counted - 1), most);
  const double factor = 1 - jitter + 2 * jitter * prng.Uniform();
  return std::chrono::nanoseconds(static_cast<int64_t>(backoff * factor));
}

}  // namespace jobrunner::engine
