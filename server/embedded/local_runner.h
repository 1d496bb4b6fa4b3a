// A whole jobrunner inside a program of one's own: no server, no network, no gRPC.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/logging.h"
#include "engine/engine_thread.h"
#include "engine/event_listener.h"
#include "engine/event_log.h"
#include "engine/queue_settings.h"
#include "jobrunner/v1/batch.pb.h"
#include "jobrunner/v1/event.pb.h"
#include "storage/memory_store.h"
#include "workers/command_catalog.h"
#include "workers/handler_registry.h"
#include "workers/local_catalog.h"
#include "workers/worker_pool.h"

namespace jobrunner::embedded {

struct LocalRunnerOptions {
  // Jobs that run at once, at most.
  int32_t workers_max = 4;
  // "default" is always there.
  std::vector<engine::QueueSettings> queues = {};
  // What may be run; nothing unless set.
  workers::CommandCatalog commands = {};
  // Told of results and failures of all batches, on the engine's thread. Not owned.
  std::vector<engine::EventListener*> listeners = {};
  // Not owned. Null: nothing is logged.
  base::Logger* logger = nullptr;
};

// The engine, its thread, a worker pool and the memory store, put together:
//
//   workers::HandlerRegistry handlers;
//   handlers.Register("greet", [](workers::HandlerContext& context) -> workers::HandlerResult {
//     return absl::StrCat("Hello, ", …);
//   });
//   auto runner = embedded::LocalRunner::Start(std::move(handlers), {.workers_max = 3});
//   auto batch = (*runner)->Submit(spec);
//   auto end = (*runner)->Follow(batch->id(), 0, [](const v1::Event& event) { … });
//
// Any thread may call any method, but none of a listener or a handler: they block. Errors are the
// codes that the gRPC services use. Batches do not outlive the runner.
class LocalRunner {
 public:
  static absl::StatusOr<std::unique_ptr<LocalRunner>> Start(workers::HandlerRegistry handlers,
                                                            LocalRunnerOptions options);

  // Stops what runs, as Drain(0) does. No other call may be in progress.
  ~LocalRunner();

  // Accepts a batch, all of it or nothing, and returns without waiting for its jobs.
  // INVALID_ARGUMENT or PERMISSION_DENIED names what is wrong (batch.jobs[3].options.timeout: …);
  // RESOURCE_EXHAUSTED when the queue is full; UNAVAILABLE while draining.
  absl::StatusOr<v1::Batch> Submit(const v1::BatchSpec& spec);

  // Shows the batch's events after a sequence, in order, as they happen, on the calling thread;
  // returns the batch once it has finished and its last event was shown. NOT_FOUND.
  using ShowEvent = std::function<void(const v1::Event& event)>;
  absl::StatusOr<v1::Batch> Follow(const std::string& batch_id, int64_t after_sequence,
                                   const ShowEvent& show);

  // Submit and Follow.
  absl::StatusOr<v1::Batch> Run(const v1::BatchSpec& spec, const ShowEvent& show);

  // Asks running jobs to stop and forces them after `grace`; does not wait for their ends.
  // Idempotent. NOT_FOUND.
  absl::StatusOr<v1::Batch> Cancel(const std::string& batch_id, std::string_view message,
                                   std::chrono::nanoseconds grace);

  // NOT_FOUND.
  absl::StatusOr<v1::Batch> GetBatch(const std::string& batch_id);

  // Accepts nothing more; running jobs have `grace` to finish, then they are stopped, and what is
  // left ends CANCELLED with SERVER_SHUTDOWN. Returns when every batch has finished. May be called
  // twice.
  void Drain(std::chrono::nanoseconds grace);

 private:
  LocalRunner(workers::HandlerRegistry handlers, LocalRunnerOptions options);
  absl::Status StartPool();
  absl::StatusOr<std::unique_ptr<engine::Submission>> Check(const v1::BatchSpec& spec);

  const LocalRunnerOptions options_;
  const workers::HandlerRegistry handlers_;
  const workers::LocalCatalog catalog_;
  const base::RealClock clock_;
  base::NullLogger null_logger_;
  base::Logger* const logger_;

  storage::MemoryStore store_;
  engine::EventLogs logs_;
  engine::EngineThread engine_;
  // It reports to the engine, so it ends first.
  std::unique_ptr<workers::WorkerPool> pool_;
};

}  // namespace jobrunner::embedded
