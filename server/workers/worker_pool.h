#pragma once

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/logging.h"
#include "engine/executor.h"
#include "workers/command_catalog.h"
#include "workers/handler_registry.h"
#include "workers/http_jobs.h"
#include "workers/numbered_assignment.h"
#include "workers/worker_numbers.h"

namespace jobrunner::workers {

class CommandExecutor;
class HandlerExecutor;

// This process's workers. Each attempt gets the lowest free one; commands, HTTP requests and
// handlers run in executors of their own.
//
// Any thread may call it. Only the destructor blocks: it stops what still runs, and when it returns
// no process that was started here is left and nothing is reported any more. The sink must outlive
// it, and may call it back from FinishedHere, but from no other report.
class WorkerPool final : public engine::Executor, private engine::AttemptSink {
 public:
  // All outlive the pool.
  struct Environment {
    const HandlerRegistry* handlers;
    const CommandCatalog* commands;
    const base::Clock* clock;
    base::Logger* logger;
    // SpawnerProcess::Options'.
    int held_fd = -1;
    // Null: there are no HTTP jobs.
    const HttpJobs* http = nullptr;
  };

  // UNAVAILABLE when the machine does not let commands or requests be started.
  static absl::StatusOr<std::unique_ptr<WorkerPool>> Create(engine::PoolBounds bounds,
                                                            const Environment& environment,
                                                            engine::AttemptSink* sink);
  ~WorkerPool() override;

  void Start(std::vector<engine::Assignment> assignments) override ABSL_LOCKS_EXCLUDED(mutex_);
  void Stop(const std::vector<engine::StopOrder>& orders) override;
  void Resize(engine::PoolBounds bounds) override ABSL_LOCKS_EXCLUDED(mutex_);
  engine::ExecutorStatistics Statistics() const override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  WorkerPool(engine::PoolBounds bounds, const base::Clock* clock, engine::AttemptSink* sink);

  absl::Status StartExecutors(const Environment& environment);
  // Without an executor they fail with what `failure` says.
  template <class Attempts>
  void StartIn(Attempts* executor, std::vector<NumberedAssignment> work,
               engine::Failure (*failure)());
  void FailWithoutExecutor(std::vector<NumberedAssignment> work, const engine::Failure& failure);

  // What the executors report: passed on, after the worker has become free.
  void Finished(engine::Outcome outcome) override ABSL_LOCKS_EXCLUDED(mutex_);
  void Finished(std::vector<engine::Outcome> outcomes) override ABSL_LOCKS_EXCLUDED(mutex_);
  void FinishedHere(std::vector<engine::Outcome> outcomes) override ABSL_LOCKS_EXCLUDED(mutex_);
  void SlotReturned(engine::AttemptToken token) override ABSL_LOCKS_EXCLUDED(mutex_);
  void Wrote(engine::OutputChunk chunk) override { sink_->Wrote(std::move(chunk)); }
  void Progressed(engine::ProgressReport report) override { sink_->Progressed(std::move(report)); }

  void Free(const engine::Outcome& outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FreeAll(const std::vector<engine::Outcome>& outcomes) ABSL_LOCKS_EXCLUDED(mutex_);

  const base::Clock& clock_;
  engine::AttemptSink* const sink_;

  mutable absl::Mutex mutex_;
  engine::PoolBounds bounds_ ABSL_GUARDED_BY(mutex_);
  mutable WorkerNumbers numbers_ ABSL_GUARDED_BY(mutex_);
  // The workers that abandoned attempts still hold.
  absl::flat_hash_map<engine::AttemptToken, int32_t> lost_ ABSL_GUARDED_BY(mutex_);

  // They report to the pool, so they end first.
  std::unique_ptr<HandlerExecutor> handlers_;
  // Null where no command is allowed.
  std::unique_ptr<CommandExecutor> commands_;
  // Null where there are no HTTP jobs.
  std::unique_ptr<HttpAttempts> http_;
};

}  // namespace jobrunner::workers
