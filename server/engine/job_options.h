// What a job's options come to: its own, its batch's, its queue's.

#pragma once

#include <chrono>
#include <cstdint>

#include "engine/limits.h"
#include "jobrunner/v1/job.pb.h"

namespace jobrunner::engine {

inline constexpr std::chrono::nanoseconds kNoBound = std::chrono::nanoseconds::max();

struct EffectiveOptions {
  std::chrono::nanoseconds timeout = kNoBound;
  std::chrono::nanoseconds start_timeout = kNoBound;
  std::chrono::nanoseconds total_timeout = kNoBound;
  std::chrono::nanoseconds delay{0};
  std::chrono::nanoseconds grace = kGraceDefault;
  int32_t max_lost_attempts = kLostAttemptsDefault;
  bool stream_output = false;
  // Null: one attempt. Lives as long as the message it came from.
  const v1::RetryPolicy* retry_policy = nullptr;

  // From accept to when the first attempt must have started, and to when the job must have ended.
  std::chrono::nanoseconds start_bound() const;
  std::chrono::nanoseconds total_bound() const { return total_timeout; }
};

// `below` with what `options` sets put over it, field by field; a retry policy as a whole.
EffectiveOptions Overlay(const EffectiveOptions& below, const v1::JobOptions& options);

// The same as messages: what `options` leaves unset comes from `below`.
v1::JobOptions MergeOptions(const v1::JobOptions& options, const v1::JobOptions& below);

}  // namespace jobrunner::engine
