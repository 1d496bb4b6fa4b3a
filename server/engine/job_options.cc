#include "engine/job_options.h"

#include "engine/proto_time.h"

namespace jobrunner::engine {

std::chrono::nanoseconds EffectiveOptions::start_bound() const {
  return start_timeout > kNoBound - delay ? kNoBound : start_timeout + delay;
}

EffectiveOptions Overlay(const EffectiveOptions& below, const v1::JobOptions& options) {
  EffectiveOptions out = below;
  if (options.has_timeout()) out.timeout = FromDuration(options.timeout());
  if (options.has_start_timeout()) out.start_timeout = FromDuration(options.start_timeout());
  if (options.has_total_timeout()) out.total_timeout = FromDuration(options.total_timeout());
  if (options.has_delay()) out.delay = FromDuration(options.delay());
  if (options.has_grace_period()) out.grace = FromDuration(options.grace_period());
  if (options.has_max_lost_attempts()) out.max_lost_attempts = options.max_lost_attempts();
  if (options.has_stream_output()) out.stream_output = options.stream_output();
  if (options.has_retry_policy()) out.retry_policy = &options.retry_policy();
  return out;
}

v1::JobOptions MergeOptions(const v1::JobOptions& options, const v1::JobOptions& below) {
  v1::JobOptions out = below;
  // Merging would join the lists of two retry policies.
  if (options.has_retry_policy()) out.clear_retry_policy();
  // And add up durations' fields: seconds of one, nanos of the other.
  if (options.has_timeout()) out.clear_timeout();
  if (options.has_start_timeout()) out.clear_start_timeout();
  if (options.has_total_timeout()) out.clear_total_timeout();
  if (options.has_delay()) out.clear_delay();
  if (options.has_grace_period()) out.clear_grace_period();
  out.MergeFrom(options);
  return out;
}

}  // namespace jobrunner::engine
