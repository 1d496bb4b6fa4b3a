// The page for Prometheus.

#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "engine/executor.h"
#include "engine/statistics.h"

namespace jobrunner::web {

// Calls that stream.
struct StreamCounts {
  // Of a batch's events: StreamResults, RunBatch.
  int64_t events = 0;
  // StreamErrors.
  int64_t errors = 0;
  // UploadBatch.
  int64_t uploads = 0;
  // WorkerService.Work.
  int64_t workers = 0;
  // Events of running batches that readers have not got yet: all together, and the one furthest
  // behind.
  int64_t lag_events = 0;
  int64_t lag_events_max = 0;
  // Since the start of the server.
  int64_t events_sent = 0;
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
