#include "engine/option_rules.h"

#include "engine/field_rules.h"
#include "engine/limits.h"
#include "engine/proto_time.h"

namespace jobrunner::engine {
namespace {

// google.rpc.Code without OK.
constexpr int32_t kCodeMin = 1;
constexpr int32_t kCodeMax = 16;
constexpr int32_t kExitCodeMin = 1;
constexpr int32_t kExitCodeMax = 255;

void CheckBackoffOrder(const FieldPath& path, const v1::RetryPolicy& policy,
                       Violations* violations) {
  const std::chrono::nanoseconds first = policy.has_initial_backoff()
                                             ? FromDuration(policy.initial_backoff())
                                             : kInitialBackoffDefault;
  const std::chrono::nanoseconds longest =
      policy.has_max_backoff() ? FromDuration(policy.max_backoff()) : kMaxBackoffDefault;
  if (longest >= first) return;
  if (policy.has_max_backoff()) {
    violations->Add(FieldPath(path, "max_backoff"),
                    "must not be less than initial_backoff, which is 1 s unless set");
  } else {
    violations->Add(FieldPath(path, "initial_backoff"),
                    "must not be more than max_backoff, which is 5 min unless set");
  }
}

void CheckBackoffs(const FieldPath& path, const v1::RetryPolicy& policy, Violations* violations) {
  const int64_t before = violations->count();
  if (policy.has_initial_backoff()) {
    CheckNotNegative(FieldPath(path, "initial_backoff"), policy.initial_backoff(), violations);
  }
  if (policy.has_max_backoff()) {
    CheckNotNegative(FieldPath(path, "max_backoff"), policy.max_backoff(), violations);
  }
  // Durations that are none cannot be compared.
  if (violations->count() == before) CheckBackoffOrder(path, policy, violations);
}

// Also false of what is not a number.
bool IsWithin(double value, double least, double most) { return value >= least && value <= most; }

void CheckFactors(const FieldPath& path, const v1::RetryPolicy& policy, Violations* violations) {
  if (policy.has_backoff_multiplier() &&
      !IsWithin(policy.backoff_multiplier(), 1, kBackoffMultiplierMax)) {
    violations->Add(FieldPath(path, "backoff_multiplier"), "must be 1 to 100");
  }
  if (policy.has_jitter() && !IsWithin(policy.jitter(), 0, 1)) {
    violations->Add(FieldPath(path, "jitter"), "must be 0 to 1");
  }
}

void CheckList(const FieldPath& path, std::string_view name,
               const google::protobuf::RepeatedField<int32_t>& list, int32_t least, int32_t most,
               Violations* violations) {
  // As many as there are different ones.
  if (list.size() > most) {
    CheckRange(FieldPath(path, name), list.size(), 0, most, violations);
    return;
  }
  for (int i = 0; i < list.size(); ++i) {
    CheckRange(FieldPath(path, name, i), list.Get(i), least, most, violations);
  }
}

}  // namespace

void CheckRetryPolicy(const FieldPath& path, const v1::RetryPolicy& policy,
                      Violations* violations) {
  CheckRange(FieldPath(path, "max_attempts"), policy.max_attempts(), 1, kAttemptsMax, violations);
  CheckBackoffs(path, policy, violations);
  CheckFactors(path, policy, violations);
  CheckList(path, "retryable_codes", policy.retryable_codes(), kCodeMin, kCodeMax, violations);
  CheckList(path, "retryable_exit_codes", policy.retryable_exit_codes(), kExitCodeMin, kExitCodeMax,
            violations);
}

void CheckOptions(const FieldPath& path, const v1::JobOptions& options, Violations* violations) {
  if (options.has_timeout()) {
    CheckPositive(FieldPath(path, "timeout"), options.timeout(), violations);
  }
  if (options.has_start_timeout()) {
    CheckPositive(FieldPath(path, "start_timeout"), options.start_timeout(), violations);
  }
  if (options.has_total_timeout()) {
    CheckPositive(FieldPath(path, "total_timeout"), options.total_timeout(), violations);
  }
  if (options.has_delay()) {
    CheckNotNegative(FieldPath(path, "delay"), options.delay(), violations);
  }
  if (options.has_retry_policy()) {
    CheckRetryPolicy(FieldPath(path, "retry_policy"), options.retry_policy(), violations);
  }
  if (options.has_max_lost_attempts()) {
    CheckRange(FieldPath(path, "max_lost_attempts"), options.max_lost_attempts(), 0,
               kLostAttemptsMax, violations);
  }
  if (options.has_grace_period()) {
    CheckNotNegative(FieldPath(path, "grace_period"), options.grace_period(), violations);
  }
}

}  // namespace jobrunner::engine
