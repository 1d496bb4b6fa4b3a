// What the configuration says of a queue.

#pragma once

#include <cstdint>
#include <string>

#include "jobrunner/v1/job.pb.h"

namespace jobrunner::engine {

inline constexpr char kDefaultQueue[] = "default";

struct QueueSettings {
  std::string name = kDefaultQueue;
  // 0: no limit of its own.
  int32_t max_running = 0;
  // Jobs that have not ended; 0: no limit of its own.
  int64_t max_queued = 0;
  v1::JobOptions job_defaults;
};

}  // namespace jobrunner::engine
