#include "simulation/random_batch.h"

#include "absl/strings/str_cat.h"
#include "engine/proto_time.h"

namespace jobrunner::simulation {
namespace {

using engine::ToDuration;

v1::RetryPolicy RandomPolicy(Chance& chance) {
  v1::RetryPolicy policy;
  policy.set_max_attempts(static_cast<int32_t>(chance.Between(1, 5)));
  const auto initial = chance.Milliseconds(1, 5'000);
  if (chance.Of(0.8)) *policy.mutable_initial_backoff() = ToDuration(initial);
  *policy.mutable_max_backoff() = ToDuration(initial + chance.Milliseconds(1, 20'000));
  if (chance.Of(0.5)) policy.set_backoff_multiplier(1 + chance.Between(0, 4) * 0.5);
  if (chance.Of(0.5)) policy.set_jitter(chance.Between(0, 10) * 0.1);
  if (chance.Of(0.3)) policy.add_retryable_codes(static_cast<int32_t>(chance.Between(1, 16)));
  if (chance.Of(0.2)) policy.add_retryable_codes(2);
  if (chance.Of(0.2)) policy.add_retryable_codes(4);
  if (chance.Of(0.3)) policy.add_retryable_exit_codes(static_cast<int32_t>(chance.Between(1, 3)));
  return policy;
}

v1::Job RandomJob(Chance& chance, int32_t index, bool with_options,
                  const std::vector<std::string>& remote_handlers) {
  v1::Job job;
  if (chance.Of(0.3)) job.set_key(absl::StrCat("job-", index));
  if (!remote_handlers.empty() && chance.Of(0.4)) {
    job.mutable_handler()->set_name(chance.OneOf(remote_handlers));
  } else if (chance.Of(0.5)) {
    job.mutable_handler()->set_name("echo");
  } else if (chance.Of(0.6)) {
    job.mutable_command()->add_argv("/bin/true");
  } else {
    job.mutable_http()->set_url("http://host/");
  }
  if (with_options && chance.Of(0.3)) *job.mutable_options() = RandomOptions(chance);
  return job;
}

}  // namespace

v1::JobOptions RandomOptions(Chance& chance) {
  v1::JobOptions options;
  if (chance.Of(0.2)) *options.mutable_timeout() = ToDuration(chance.Milliseconds(1, 20'000));
  if (chance.Of(0.15)) {
    *options.mutable_start_timeout() = ToDuration(chance.Milliseconds(1, 60'000));
  }
  if (chance.Of(0.15)) {
    *options.mutable_total_timeout() = ToDuration(chance.Milliseconds(1, 120'000));
  }
  if (chance.Of(0.2)) *options.mutable_delay() = ToDuration(chance.Milliseconds(1, 30'000));
  if (chance.Of(0.05)) *options.mutable_delay() = ToDuration(std::chrono::nanoseconds(0));
  if (chance.Of(0.4)) *options.mutable_retry_policy() = RandomPolicy(chance);
  if (chance.Of(0.3)) options.set_max_lost_attempts(static_cast<int32_t>(chance.Between(0, 4)));
  if (chance.Of(0.2)) options.set_stream_output(true);
  if (chance.Of(0.3)) *options.mutable_grace_period() = ToDuration(chance.Milliseconds(1, 9'000));
  if (chance.Of(0.05)) *options.mutable_grace_period() = ToDuration(std::chrono::nanoseconds(0));
  return options;
}

v1::BatchSpec RandomBatch(Chance& chance, const std::vector<std::string>& queues,
                          const std::vector<std::string>& remote_handlers) {
  v1::BatchSpec spec;
  if (chance.Of(0.9)) spec.set_queue(chance.OneOf(queues));
  if (chance.Of(0.4)) spec.set_priority(static_cast<int32_t>(chance.Between(-100, 100)));
  if (chance.Of(0.3)) spec.set_fairness_key(absl::StrCat("key-", chance.Between(1, 3)));
  if (chance.Of(0.3)) spec.set_max_parallelism(static_cast<int32_t>(chance.Skewed(1, 50)));
  if (chance.Of(0.3)) spec.set_failure_policy(v1::FAILURE_POLICY_CANCEL_BATCH);
  if (chance.Of(0.2)) *spec.mutable_timeout() = ToDuration(chance.Milliseconds(1, 120'000));
  if (chance.Of(0.2)) *spec.mutable_retention() = ToDuration(chance.Milliseconds(1, 60'000));
  if (chance.Of(0.7)) *spec.mutable_job_defaults() = RandomOptions(chance);
  if (chance.Of(0.2)) spec.set_finished_url("http://hook/");
  const bool with_options = chance.Of(0.4);
  const auto jobs =
      static_cast<int32_t>(chance.Of(0.1) ? chance.Skewed(300, 3000) : chance.Skewed(1, 300));
  for (int32_t i = 0; i < jobs; ++i) {
    *spec.add_jobs() = RandomJob(chance, i, with_options, remote_handlers);
  }
  return spec;
}

std::vector<engine::QueueSettings> RandomQueues(Chance& chance,
                                                const std::vector<std::string>& names) {
  std::vector<engine::QueueSettings> queues;
  for (const std::string& name : names) {
    engine::QueueSettings& queue = queues.emplace_back();
    queue.name = name;
    if (chance.Of(0.4)) queue.max_running = static_cast<int32_t>(chance.Skewed(1, 20));
    if (chance.Of(0.2)) queue.max_queued = chance.Skewed(10, 5000);
    if (chance.Of(0.3)) queue.job_defaults = RandomOptions(chance);
  }
  return queues;
}

}  // namespace jobrunner::simulation
