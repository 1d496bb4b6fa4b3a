#include "workers/worker_numbers.h"

#include <algorithm>

namespace jobrunner::workers {

int32_t WorkerNumbers::Take(base::SteadyTime now) {
  while (first_free_ < workers_.size() && workers_[first_free_].busy) ++first_free_;
  if (first_free_ == workers_.size()) workers_.emplace_back();
  workers_[first_free_] = {.busy = true, .last_start = now};
  ++busy_;
  return static_cast<int32_t>(++first_free_);
}

void WorkerNumbers::GiveBack(int32_t number) {
  const auto index = static_cast<size_t>(number - 1);
  workers_[index].busy = false;
  first_free_ = std::min(first_free_, index);
  --busy_;
}

int32_t WorkerNumbers::Count(int32_t min, base::SteadyTime now) {
  while (!workers_.empty() && !workers_.back().busy &&
         workers_.back().last_start + kIdleTime < now) {
    workers_.pop_back();
  }
  first_free_ = std::min(first_free_, workers_.size());
  return std::max(min, static_cast<int32_t>(workers_.size()));
}

}  // namespace jobrunner::workers
