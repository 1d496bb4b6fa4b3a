// The thread that drives the engine: takes inputs from a mailbox, steps, carries out the effects.

#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/logging.h"
#include "base/mailbox.h"
#include "base/prng.h"
#include "base/thread_role.h"
#include "base/uuid.h"
#include "engine/engine.h"
#include "engine/event_listener.h"
#include "engine/event_log.h"
#include "engine/executor.h"
#include "engine/input.h"
#include "engine/remote_workers.h"
#include "engine/store.h"

namespace jobrunner::engine {

// The engine as the rest of the program sees it. Any thread may call any method; none blocks,
// except Stop. Replies and listeners are called on the engine's thread and must not block it.
//
//   EngineThread engine(options, parts);   // parts outlive it
//   WorkerPool pool(&engine, …);
//   engine.Start(&pool);
//   engine.Submit(…);
//   engine.Drain(…); engine.Stop();         // then the pool may go
class EngineThread final : public AttemptSink {
 public:
  struct Parts {
    const base::Clock* clock = nullptr;
    // Has answered every call, or never will, before the EngineThread goes.
    Store* store = nullptr;
    EventLogs* logs = nullptr;
    base::Logger* logger = nullptr;
    std::vector<EventListener*> listeners;
    // The store failed: nothing more can be accepted, the process has to end. Called once, on any
    // thread.
    std::function<void(absl::Status)> failed;
  };

  EngineThread(EngineOptions options, Parts parts);
  ~EngineThread() override;

  // Once; `executor` must outlive Stop. `unfinished` as the store recovered it, with the
  // EngineOptions.epoch that came with it: these batches go on, and their logs are open when Start
  // returns.
  // Without `remote` there must be no remote worker.
  void Start(Executor* executor, RemoteWorkers* remote,
             std::vector<std::unique_ptr<Batch>> unfinished = {});
  void Start(Executor* executor) { Start(executor, nullptr); }

  // A new id for a Submission: a UUIDv7.
  std::string NewBatchId();

  // What is told after Stop is dropped, and its replies with it.
  void Tell(Input input);

  // Ends the thread without waiting for anything that runs. Safe to call twice.
  void Stop();

  void Finished(Outcome outcome) override;
  void Finished(std::vector<Outcome> outcomes) override;
  void SlotReturned(AttemptToken token) override;
  void Wrote(OutputChunk chunk) override;
  void Progressed(ProgressReport report) override;

 private:
  void Run() ABSL_LOCKS_EXCLUDED(role_);
  // Waits for inputs until `wake`. False when the mailbox is closed.
  bool TakeInputs(base::SteadyTime wake, std::vector<Input>* inputs)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(role_);
  void Perform(Effects effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(role_);
  void Publish(const std::vector<engine::Publish>& publishes);
  void Notify(const std::vector<Notice>& notices);
  void Commit(std::vector<Write> writes, Sync sync, uint64_t ticket);
  void Load(const LoadShard& load);
  void Find(const FindExpired& find);
  EventListener::Interest interest() const;
  // From the store's callbacks, which may run on the engine's own thread, inside Perform.
  void Return(Input input);

  const Parts parts_;
  Executor* executor_ = nullptr;
  RemoteWorkers* remote_ = nullptr;
  base::Mailbox<Input> mailbox_;
  std::atomic<std::thread::id> thread_id_;
  std::once_flag failed_once_;

  absl::Mutex id_mutex_;
  base::Prng id_prng_ ABSL_GUARDED_BY(id_mutex_);
  base::UuidSequence ids_ ABSL_GUARDED_BY(id_mutex_);

  base::ThreadRole role_;
  Engine engine_ ABSL_GUARDED_BY(role_);
  // What the store answered at once: the inputs of the next Step.
  std::vector<Input> returned_ ABSL_GUARDED_BY(role_);

  std::thread thread_;
};

}  // namespace jobrunner::engine
