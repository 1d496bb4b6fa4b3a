#include "workers/worker_pool.h"

#include <algorithm>
#include <utility>

#include "workers/handler_executor.h"

namespace jobrunner::workers {

absl::StatusOr<std::unique_ptr<WorkerPool>> WorkerPool::Create(engine::PoolBounds bounds,
                                                               const Environment& environment,
                                                               engine::AttemptSink* sink) {
  return std::unique_ptr<WorkerPool>(new WorkerPool(bounds, environment, sink));
}

WorkerPool::WorkerPool(engine::PoolBounds bounds, const Environment& environment,
                       engine::AttemptSink* sink)
    : clock_(*environment.clock), sink_(sink), bounds_(bounds) {
  engine::AttemptSink* const self = this;
  handlers_ = std::make_unique<HandlerExecutor>(environment.handlers, self, environment.logger);
  handlers_->KeepIdle(bounds.min);
}

WorkerPool::~WorkerPool() = default;

void WorkerPool::Start(std::vector<engine::Assignment> assignments) {
  std::vector<NumberedAssignment> handlers;
  handlers.reserve(assignments.size());
  const base::SteadyTime now = clock_.Read().steady;
  {
    absl::MutexLock lock(&mutex_);
    for (engine::Assignment& assignment : assignments) {
      const int32_t worker = numbers_.Take(now);
      handlers.push_back({.assignment = std::move(assignment), .worker = worker});
    }
  }
  handlers_->Start(std::move(handlers));
}

void WorkerPool::Stop(const std::vector<engine::StopOrder>& orders) { handlers_->Stop(orders); }

void WorkerPool::Resize(engine::PoolBounds bounds) {
  absl::MutexLock lock(&mutex_);
  bounds_ = bounds;
  handlers_->KeepIdle(bounds.min);
}

engine::ExecutorStatistics WorkerPool::Statistics() const {
  const base::SteadyTime now = clock_.Read().steady;
  absl::MutexLock lock(&mutex_);
  const int32_t busy = numbers_.busy();
  // After a Resize more may be busy than there shall be.
  const int32_t slots = std::min(numbers_.Count(bounds_.min, now), std::max(bounds_.max, busy));
  return {.bounds = bounds_, .slots = slots, .busy = busy};
}

void WorkerPool::Free(const engine::Outcome& outcome) {
  if (outcome.abandoned) {
    lost_.emplace(outcome.token, outcome.worker);
  } else {
    numbers_.GiveBack(outcome.worker);
  }
}

void WorkerPool::Finished(engine::Outcome outcome) {
  {
    absl::MutexLock lock(&mutex_);
    Free(outcome);
  }
  sink_->Finished(std::move(outcome));
}

void WorkerPool::Finished(std::vector<engine::Outcome> outcomes) {
  {
    absl::MutexLock lock(&mutex_);
    for (const engine::Outcome& outcome : outcomes) Free(outcome);
  }
  sink_->Finished(std::move(outcomes));
}

void WorkerPool::SlotReturned(engine::AttemptToken token) {
  {
    absl::MutexLock lock(&mutex_);
    const auto found = lost_.find(token);
    numbers_.GiveBack(found->second);
    lost_.erase(found);
  }
  sink_->SlotReturned(token);
}

}  // namespace jobrunner::workers
