// A remote worker: runs handlers of this program for a jobrunner server elsewhere.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/logging.h"
#include "base/prng.h"
#include "base/thread_role.h"
#include "engine/executor.h"
#include "worker/held_attempts.h"
#include "worker/work_input.h"
#include "worker/work_stream.h"
#include "workers/command_catalog.h"
#include "workers/handler_registry.h"
#include "workers/local_catalog.h"
#include "workers/worker_pool.h"

namespace jobrunner::worker {

struct WorkerOptions {
  // The server's: "HOST:PORT" or "unix:PATH".
  std::string address;
  // What JobResult.worker and `jobrunner status` call this worker. Not empty.
  std::string name;
  // Attempts that it takes at once: each that blocks has a thread. For handlers that end in
  // microseconds more than that is good: the next ones are there when one ends.
  int32_t slots = 4;
  // For people and for monitoring.
  std::map<std::string, std::string> labels = {};
  // The pools whose commands it runs (Command.pool), and what these may be, at most: a command that
  // is not allowed fails with SPAWN_FAILED.
  std::vector<std::string> pools = {};
  workers::CommandCatalog commands = {};
  // Not owned. Null: nothing is logged.
  base::Logger* logger = nullptr;
};

// Runs the handlers that `handlers` has beside echo, sleep and fail, which are the server's own:
//
//   workers::HandlerRegistry handlers;
//   handlers.Register("greet", [](workers::HandlerContext& context) -> workers::HandlerResult {
//     return absl::StrCat("Hello, ", …);
//   });
//   auto worker = worker::Worker::Create(std::move(handlers), {.address = …, .name = "greeter"});
//   const absl::Status status = (*worker)->Run();
//
// The handlers are those of jobrunner::embedded, and cannot tell the difference. When the stream
// breaks or the server starts anew they go on; the worker comes back within its lease and brings
// their outcomes. Handlers are asked to stop (HandlerContext::stop_token) by a cancel, a deadline
// and a lost lease; one that ignores it is given up by the server, and what it brings is refused.
class Worker final : private engine::AttemptSink {
 public:
  // UNAVAILABLE when the machine does not let commands be started.
  static absl::StatusOr<std::unique_ptr<Worker>> Create(workers::HandlerRegistry handlers,
                                                        WorkerOptions options);
  // Asks the handlers that still run to stop, waits for them for one second, and kills commands.
  ~Worker() override;

  // Serves until Leave, and until what it holds then has ended and been brought: OK. Waits for a
  // server that is not there. Returns an error when the server does not want this worker:
  // INVALID_ARGUMENT, UNIMPLEMENTED, UNAUTHENTICATED, PERMISSION_DENIED. Blocks; once.
  //
  // The calling thread is the worker's loop: it answers for the lease. It never waits for a
  // handler.
  absl::Status Run() ABSL_LOCKS_EXCLUDED(loop_);

  // Takes nothing more; Run returns when what it holds has ended. Any thread, but no signal
  // handler; does not block.
  void Leave() { inbox_->Put(worker::Leave{}); }

 private:
  Worker(workers::HandlerRegistry handlers, WorkerOptions options);

  // What the pool reports, on its threads.
  void Finished(engine::Outcome outcome) override;
  void Finished(std::vector<engine::Outcome> outcomes) override {
    inbox_->Put(std::move(outcomes));
  }
  void SlotReturned(engine::AttemptToken token) override;
  void Wrote(engine::OutputChunk chunk) override { inbox_->Put(std::move(chunk)); }
  void Progressed(engine::ProgressReport report) override { inbox_->Put(std::move(report)); }

  void Handle(v1::WorkResponse& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void Handle(StreamWritten&) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_) { writing_ = false; }
  void Handle(StreamReadOut&) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void Handle(StreamEnded& ended) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void Handle(std::vector<engine::Outcome>& outcomes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void Handle(engine::OutputChunk& chunk) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void Handle(engine::ProgressReport& report) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void Handle(worker::SlotReturned& returned) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void Handle(worker::Leave&) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_) { leaving_ = true; }

  void Welcome(const v1::WorkerWelcome& welcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void Assign(v1::Assignments& assignments) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void Check(const v1::LeaseCheck& check) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void Acknowledge(const v1::AcknowledgedOutcomes& acknowledged)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);

  void Connect() ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void ComeBackLater() ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void DeadlinePassed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void Stop(const std::vector<engine::AttemptToken>& tokens, std::chrono::nanoseconds grace)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void Refuse(const engine::AttemptToken& token, const absl::Status& why)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  // Keeps of what it holds these alone.
  void Keep(const HeldAttempts::Ids& ids) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  // Writes what is next, if the stream can take it.
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  std::optional<v1::WorkRequest> NextMessage() ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  v1::WorkRequest Hello() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);

  const WorkerOptions options_;
  const workers::HandlerRegistry handlers_;
  // What may be run here.
  const workers::LocalCatalog catalog_;
  const base::RealClock clock_;
  base::NullLogger null_logger_;
  base::Logger& logger_;

  // Shared with the stream, whose last word goes into it.
  const std::shared_ptr<WorkInbox> inbox_ = std::make_shared<WorkInbox>();

  // Played by the thread in Run.
  base::ThreadRole loop_;
  base::Prng prng_ ABSL_GUARDED_BY(loop_);
  base::Now now_ ABSL_GUARDED_BY(loop_);
  HeldAttempts held_ ABSL_GUARDED_BY(loop_);
  std::vector<engine::Assignment> starts_ ABSL_GUARDED_BY(loop_);
  // Of the server, as it said at the last welcome.
  std::string session_id_ ABSL_GUARDED_BY(loop_);
  std::chrono::nanoseconds lease_ ABSL_GUARDED_BY(loop_){std::chrono::seconds(10)};

  // Null between two streams.
  std::unique_ptr<WorkStream> stream_ ABSL_GUARDED_BY(loop_);
  bool welcomed_ ABSL_GUARDED_BY(loop_) = false;
  // A message is in flight, or this side is closed.
  bool writing_ ABSL_GUARDED_BY(loop_) = false;
  // The stream is on its way to its end, and is asked for nothing more.
  bool released_ ABSL_GUARDED_BY(loop_) = false;
  // The check that is to be answered.
  std::optional<int64_t> check_ ABSL_GUARDED_BY(loop_);
  bool leave_said_ ABSL_GUARDED_BY(loop_) = false;
  // Of a stream: silent until then, it is broken off. Else: when the next one is tried.
  base::SteadyTime deadline_ ABSL_GUARDED_BY(loop_) = base::SteadyTime::max();
  std::chrono::nanoseconds backoff_ ABSL_GUARDED_BY(loop_){0};

  bool leaving_ ABSL_GUARDED_BY(loop_) = false;
  // What Run returns.
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(loop_);

  // It reports to this, so it ends first.
  std::unique_ptr<workers::WorkerPool> pool_;
};

}  // namespace jobrunner::worker
