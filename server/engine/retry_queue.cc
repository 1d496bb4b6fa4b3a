#include "engine/retry_queue.h"

#include "base/check.h"

namespace jobrunner::engine {

void RetryQueue::Add(ActiveBatch* batch, int32_t index, base::SteadyTime time) {
  const Key key{time, ++last_id_};
  const bool added = by_job_.emplace(JobName{batch, index}, key).second;
  JOBRUNNER_CHECK(added);
  by_time_.emplace(key, JobName{batch, index});
}

bool RetryQueue::Remove(ActiveBatch* batch, int32_t index) {
  auto found = by_job_.find({batch, index});
  if (found == by_job_.end()) return false;
  by_time_.erase(found->second);
  by_job_.erase(found);
  return true;
}

std::optional<base::SteadyTime> RetryQueue::TimeOf(ActiveBatch* batch, int32_t index) const {
  auto found = by_job_.find({batch, index});
  if (found == by_job_.end()) return std::nullopt;
  return found->second.first;
}

std::optional<RetryQueue::Due> RetryQueue::PopDue(base::SteadyTime now) {
  if (by_time_.empty() || by_time_.begin()->first.first > now) return std::nullopt;
  const auto [key, job] = *by_time_.begin();
  by_time_.erase(by_time_.begin());
  by_job_.erase(job);
  return Due{job.first, job.second, key.first};
}

base::SteadyTime RetryQueue::earliest() const {
  return by_time_.empty() ? base::SteadyTime::max() : by_time_.begin()->first.first;
}

}  // namespace jobrunner::engine
