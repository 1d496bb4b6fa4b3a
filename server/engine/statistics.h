// What the engine counts, for people and for monitoring.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "jobrunner/v1/event.pb.h"

namespace jobrunner::engine {

// Times, by upper bound: 1 ms, 4 ms, 16 ms … 4^11 ms (about 70 min), and above.
class TimeHistogram {
 public:
  static constexpr int kBuckets = 13;

  // The bucket's upper bound; nanoseconds::max() for the last.
  static std::chrono::nanoseconds UpperBound(int bucket);

  void Add(std::chrono::nanoseconds time);
  int64_t count(int bucket) const { return counts_[bucket]; }
  std::chrono::nanoseconds sum() const { return sum_; }

 private:
  std::array<int64_t, kBuckets> counts_{};
  std::chrono::nanoseconds sum_{0};
};

struct QueueCounts {
  // Now.
  int64_t queued = 0;
  int64_t running = 0;
  int64_t retrying = 0;
  bool paused = false;
  int32_t max_running = 0;
  int64_t max_queued = 0;
  // Since the start of the server.
  int64_t accepted = 0;
  int64_t succeeded = 0;
  int64_t failed = 0;
  int64_t cancelled = 0;
  int64_t attempts_started = 0;
  int64_t attempts_retried = 0;
  // From accept (or the end of a delay or backoff) to the start of an attempt, and attempts.
  TimeHistogram queue_wait;
  TimeHistogram attempt_time;
};

// A remote worker's session.
struct RemoteWorkerCounts {
  std::string name;
  std::map<std::string, std::string> labels;
  std::string sdk;
  std::vector<std::string> handlers;
  int32_t slots = 0;
  // Attempts that it holds.
  int32_t held = 0;
  // When the session began.
  base::WallTime since;
  // Its stream is there; otherwise it may come back for a lease.
  bool connected = false;
  bool leaving = false;
};

struct Statistics {
  std::map<std::string, QueueCounts> queues;
  // Results that are CANCELLED, by Reason.
  std::array<int64_t, v1::Reason_ARRAYSIZE> cancels{};
  int64_t batches_running = 0;
  int64_t batches_kept = 0;
  // Slots held by handlers that ignored their stop.
  int64_t slots_lost = 0;
  // Events of all logs since the start of the server, each of which is serialized once.
  int64_t events_written = 0;
  // Outcomes of attempts that were no longer running.
  int64_t outcomes_refused = 0;
  bool draining = false;
  // In the order in which they came.
  std::vector<RemoteWorkerCounts> remote_workers;
};

}  // namespace jobrunner::engine
