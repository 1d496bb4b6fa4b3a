// The page for Prometheus.

#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "engine/executor.h"
#include "engine/statistics.h"

namespace jobrunner::web {

// Calls that stream events.
struct StreamCounts {
  int64_t results = 0;  // StreamResults
  int64_t runs = 0;     // RunBatch
  int64_t errors = 0;   // StreamErrors
  // Events that are in the logs and that readers of live streams have not got yet: the furthest
  // behind, and all together.
  int64_t lag_events_max = 0;
  int64_t lag_events = 0;
};

// All that the page shows, as it was at one moment.
struct MetricsSnapshot {
  std::string version;
  base::WallTime start_time;
  engine::Statistics engine;
  engine::ExecutorStatistics pool;
  StreamCounts streams;
  // Lines that were not written.
  uint64_t log_lines_dropped = 0;
  uint64_t job_log_lines_dropped = 0;
};

inline constexpr char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

// In Prometheus' text format. Any thread; does not block.
std::string RenderMetrics(const MetricsSnapshot& snapshot);

}  // namespace jobrunner::web
