#include "workers/worker_pool.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "google/rpc/code.pb.h"
#include "workers/command_executor.h"
#include "workers/command_failure.h"
#include "workers/handler_executor.h"

namespace jobrunner::workers {
namespace {

// Of batches that were accepted under another configuration.
engine::Failure CommandsAreOff() {
  return ProgramNotFound(
      absl::PermissionDeniedError("the configuration does not allow any command"));
}

engine::Failure HttpIsOff() {
  engine::Failure failure;
  failure.code = google::rpc::PERMISSION_DENIED;
  failure.message = "the configuration does not allow HTTP jobs";
  failure.reason = v1::REASON_HTTP_FAILED;
  failure.final = true;
  return failure;
}

}  // namespace

absl::StatusOr<std::unique_ptr<WorkerPool>> WorkerPool::Create(engine::PoolBounds bounds,
                                                               const Environment& environment,
                                                               engine::AttemptSink* sink) {
  std::unique_ptr<WorkerPool> pool(new WorkerPool(bounds, environment.clock, sink));
  RETURN_IF_ERROR(pool->StartExecutors(environment));
  return pool;
}

WorkerPool::WorkerPool(engine::PoolBounds bounds, const base::Clock* clock,
                       engine::AttemptSink* sink)
    : clock_(*clock), sink_(sink), bounds_(bounds) {}

absl::Status WorkerPool::StartExecutors(const Environment& environment) {
  engine::AttemptSink* const self = this;
  handlers_ = std::make_unique<HandlerExecutor>(environment.handlers, self, environment.logger);
  {
    absl::MutexLock lock(&mutex_);
    handlers_->KeepIdle(bounds_.min);
  }
  const CommandCatalog& catalog = *environment.commands;
  if (catalog.allows_any() || !catalog.Names().empty()) {
    ASSIGN_OR_RETURN(commands_, CommandExecutor::Create(&catalog, self, environment.logger,
                                                        environment.held_fd));
  }
  if (environment.http != nullptr) {
    ASSIGN_OR_RETURN(http_, environment.http->Begin(self));
  }
  return absl::OkStatus();
}

WorkerPool::~WorkerPool() = default;

void WorkerPool::Start(std::vector<engine::Assignment> assignments) {
  std::vector<NumberedAssignment> handlers;
  std::vector<NumberedAssignment> commands;
  std::vector<NumberedAssignment> requests;
  const base::SteadyTime now = clock_.Read().steady;
  {
    absl::MutexLock lock(&mutex_);
    for (engine::Assignment& assignment : assignments) {
      const int32_t worker = numbers_.Take(now);
      const v1::Job& job = assignment.job();
      auto& work = job.has_command() ? commands : job.has_http() ? requests : handlers;
      work.push_back({.assignment = std::move(assignment), .worker = worker});
    }
  }
  if (!handlers.empty()) handlers_->Start(std::move(handlers));
  StartIn(commands_.get(), std::move(commands), CommandsAreOff);
  StartIn(http_.get(), std::move(requests), HttpIsOff);
}

template <class Attempts>
void WorkerPool::StartIn(Attempts* executor, std::vector<NumberedAssignment> work,
                         engine::Failure (*failure)()) {
  if (work.empty()) return;
  if (executor == nullptr) return FailWithoutExecutor(std::move(work), failure());
  executor->Start(std::move(work));
}

void WorkerPool::FailWithoutExecutor(std::vector<NumberedAssignment> work,
                                     const engine::Failure& failure) {
  std::vector<engine::Outcome> outcomes(work.size());
  for (size_t i = 0; i < work.size(); ++i) {
    outcomes[i].token = work[i].assignment.token;
    outcomes[i].worker = work[i].worker;
    outcomes[i].failure = std::make_unique<engine::Failure>(failure);
  }
  Finished(std::move(outcomes));
}

void WorkerPool::Stop(const std::vector<engine::StopOrder>& orders) {
  handlers_->Stop(orders);
  if (commands_ != nullptr) commands_->Stop(orders);
  if (http_ != nullptr) http_->Stop(orders);
}

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

void WorkerPool::FreeAll(const std::vector<engine::Outcome>& outcomes) {
  absl::MutexLock lock(&mutex_);
  for (const engine::Outcome& outcome : outcomes) Free(outcome);
}

void WorkerPool::Finished(engine::Outcome outcome) {
  {
    absl::MutexLock lock(&mutex_);
    Free(outcome);
  }
  sink_->Finished(std::move(outcome));
}

void WorkerPool::Finished(std::vector<engine::Outcome> outcomes) {
  FreeAll(outcomes);
  sink_->Finished(std::move(outcomes));
}

void WorkerPool::FinishedHere(std::vector<engine::Outcome> outcomes) {
  FreeAll(outcomes);
  sink_->FinishedHere(std::move(outcomes));
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
