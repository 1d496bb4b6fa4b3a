// What drives the engine: takes inputs from a mailbox, steps, carries out the effects.

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
// except Stop. Replies and listeners are called in the engine's turn and must not block.
//
// One thread at a time has the turn, and with it all of the engine's state: the engine's own
// thread, or, while there is nothing else to do, one that brings outcomes with FinishedHere. "The
// engine's thread" is whoever has it.
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
  void FinishedHere(std::vector<Outcome> outcomes) override ABSL_LOCKS_EXCLUDED(turn_);
  void SlotReturned(AttemptToken token) override;
  void Wrote(OutputChunk chunk) override;
  void Progressed(ProgressReport report) override;

 private:
  void Run() ABSL_LOCKS_EXCLUDED(turn_);
  // The turn of the engine's own thread: one Step with all that there is. Returns when the next one
  // is due, should it not be told anything before.
  base::SteadyTime TakeTurn() ABSL_LOCKS_EXCLUDED(turn_);
  // False, and nothing is done, unless the engine is idle.
  bool TakeTurnHere(std::vector<Outcome>* outcomes) ABSL_LOCKS_EXCLUDED(turn_);
  void Step() ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_);
  // When there is something to do though nobody tells it anything.
  base::SteadyTime NextTurn() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_);
  void Perform(Effects effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_);
  void Publish(const std::vector<engine::Publish>& publishes);
  void Notify(const std::vector<Notice>& notices);
  void Commit(std::vector<Write> writes, Sync sync, uint64_t ticket);
  void Load(const LoadShard& load);
  void Find(const FindExpired& find);
  EventListener::Interest interest() const;
  // From the store's callbacks, which may run inside Perform.
  void Return(Input input);

  const Parts parts_;
  Executor* executor_ = nullptr;
  RemoteWorkers* remote_ = nullptr;
  base::Mailbox<Input> mailbox_;
  // Of the thread that has the turn, and steps.
  std::atomic<std::thread::id> turn_holder_;
  std::once_flag failed_once_;

  absl::Mutex id_mutex_;
  base::Prng id_prng_ ABSL_GUARDED_BY(id_mutex_);
  base::UuidSequence ids_ ABSL_GUARDED_BY(id_mutex_);

  absl::Mutex turn_;
  Engine engine_ ABSL_GUARDED_BY(turn_);
  // Of the next Step: what the store answered at once, then what is taken from the mailbox.
  std::vector<Input> inputs_ ABSL_GUARDED_BY(turn_);
  // What the last Step said.
  base::SteadyTime wake_ ABSL_GUARDED_BY(turn_) = base::SteadyTime::min();
  // Until when the engine's own thread sleeps.
  base::SteadyTime sleeps_until_ ABSL_GUARDED_BY(turn_) = base::SteadyTime::min();

  std::thread thread_;
};

}  // namespace jobrunner::engine
