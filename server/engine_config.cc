#include "server/engine_config.h"

#include "engine/proto_time.h"

namespace jobrunner::server {

engine::PoolBounds PoolBoundsOf(const config::v1::Workers& workers) {
  return {workers.min(), workers.max()};
}

std::vector<engine::QueueSettings> QueuesOf(const config::v1::Config& config) {
  std::vector<engine::QueueSettings> queues;
  for (const config::v1::Queue& queue : config.queues()) {
    queues.push_back({.name = queue.name(),
                      .max_running = queue.max_running(),
                      .max_queued = queue.max_queued(),
                      .job_defaults = queue.job_defaults()});
  }
  return queues;
}

engine::EngineOptions EngineOptionsOf(const config::v1::Config& config) {
  engine::EngineOptions options;
  options.pool = PoolBoundsOf(config.workers());
  options.worker_lease = engine::FromDuration(config.workers().lease());
  options.queues = QueuesOf(config);
  options.jobs_unfinished_max = config.limits().jobs_unfinished_max();
  options.retention = engine::FromDuration(config.retention());
  options.kept_bytes_max = config.limits().memory_store_bytes();
  options.shards_loaded_max = config.limits().shards_loaded_max();
  return options;
}

}  // namespace jobrunner::server
