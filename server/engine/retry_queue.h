// Jobs that wait for a moment: after a failed attempt, or for their delay. They hold no worker.

#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "base/clock.h"

namespace jobrunner::engine {

struct ActiveBatch;

// Ordered by time; removed by job. Not thread-safe; every call is O(log n).
class RetryQueue {
 public:
  struct Due {
    ActiveBatch* batch = nullptr;
    int32_t index = 0;
    base::SteadyTime time{};
  };

  // The job is not in it.
  void Add(ActiveBatch* batch, int32_t index, base::SteadyTime time);
  // False if the job was not in it.
  bool Remove(ActiveBatch* batch, int32_t index);
  // When the job's wait ends, if it is in it.
  std::optional<base::SteadyTime> TimeOf(ActiveBatch* batch, int32_t index) const;

  std::optional<Due> PopDue(base::SteadyTime now);
  // max() when nothing waits.
  base::SteadyTime earliest() const;
  int64_t size() const { return static_cast<int64_t>(by_job_.size()); }

 private:
  using Key = std::pair<base::SteadyTime, uint64_t>;
  using JobName = std::pair<ActiveBatch*, int32_t>;

  absl::btree_map<Key, JobName> by_time_;
  absl::flat_hash_map<JobName, Key> by_job_;
  uint64_t last_id_ = 0;
};

}  // namespace jobrunner::engine
