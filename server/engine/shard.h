// A slice of a batch's jobs as it is stored.

#ifndef JOBRUNNER_ENGINE_SHARD_H_
#define JOBRUNNER_ENGINE_SHARD_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/shard_jobs.h"

namespace jobrunner::engine {

// What must be known of a shard without loading it: when the first of its jobs needs attention,
// counted from accept. nanoseconds::max() where there is nothing.
struct ShardTiming {
  // The shortest delay of a job; 0 when one may start at once.
  std::chrono::nanoseconds earliest_start{0};
  // The earliest start_timeout (+ delay) or total_timeout of a job.
  std::chrono::nanoseconds earliest_deadline = std::chrono::nanoseconds::max();
  // Some job has a delay: the shard's jobs do not all start in the order of their indexes.
  bool has_delays = false;
};

// A unit of storage and loading: up to kJobsPerShardMax jobs, one record. The bytes are a serialized
// BatchSpec that has jobs alone.
struct Shard {
  int32_t first_index = 0;
  int32_t count = 0;
  std::shared_ptr<const std::string> bytes;
  ShardTiming timing;
};

}  // namespace jobrunner::engine

#endif  // JOBRUNNER_ENGINE_SHARD_H_
