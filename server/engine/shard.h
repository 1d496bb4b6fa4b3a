// A slice of a batch's jobs as it is stored.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/shard_jobs.h"

namespace jobrunner::engine {

// What must be known of a shard without loading it, from its jobs' own options; what they leave
// unset comes from the batch's defaults. Durations count from accept.
struct ShardTiming {
  // The shortest that a job sets itself; max() when none does.
  std::chrono::nanoseconds start_timeout_min = std::chrono::nanoseconds::max();
  std::chrono::nanoseconds total_timeout_min = std::chrono::nanoseconds::max();
  std::chrono::nanoseconds delay_min = std::chrono::nanoseconds::max();
  // Some job sets no delay itself.
  bool delay_unset = false;
};

// A unit of storage and loading: up to kJobsPerShardMax jobs, one record. The bytes are a
// serialized BatchSpec that has jobs alone.
struct Shard {
  int32_t first_index = 0;
  int32_t count = 0;
  std::shared_ptr<const std::string> bytes;
  ShardTiming timing;
};

}  // namespace jobrunner::engine
