#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "base/logging.h"
#include "base/thread_role.h"
#include "engine/executor.h"
#include "workers/command_attempt.h"
#include "workers/command_catalog.h"
#include "workers/command_launcher.h"
#include "workers/loop_mail.h"
#include "workers/poller.h"

namespace jobrunner::workers {

// What the thread of the command executor does. Start, Stop and End are for any thread and do not
// block; Run is that thread's life.
class CommandLoop {
 public:
  CommandLoop(Poller poller, std::unique_ptr<SpawnerProcess> spawner,
              const SpawnerProcess::Options& options, const CommandCatalog* catalog,
              engine::AttemptSink* sink, base::Logger* logger);
  ~CommandLoop();

  void Start(std::vector<NumberedAssignment> work);
  void Stop(const std::vector<engine::StopOrder>& orders) { mail_.Stop(orders); }
  // Run kills what still runs and returns.
  void End() { mail_.End(); }

  void Run();

 private:
  using Mail = LoopMail<CommandAttempt>;

  // What one wait brought.
  struct Events {
    std::vector<uint64_t> ready;
    std::vector<SpawnReport> reports;
    bool spawner_lives = true;
  };

  enum class TimerKind { kForce, kGiveUp, kShow, kRetry };
  struct Timer {
    uint64_t id;
    TimerKind kind;
  };

  // Launches it at once if that is quick. Whether it is under way.
  bool LaunchHere(CommandAttempt& attempt);

  void Step(Mail::Contents mail, const Events& events) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void EndAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);

  void Accept(std::unique_ptr<CommandAttempt> attempt) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void Obey(const engine::StopOrder& order) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void Force(uint64_t id, CommandAttempt& attempt) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);

  // Starts what waits, as long as the spawner takes it.
  void LaunchWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void Launch(uint64_t id, CommandAttempt& attempt) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  // Has the outputs watched of what still runs kWatchDelay after its start.
  void WatchDue(base::SteadyTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  // When there is something to do without being woken.
  base::SteadyTime NextTime() ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);

  void ReadOutputs(uint64_t tag) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void ReadOutput(uint64_t id, OutputPipe& output, CommandAttempt& attempt)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void Show(CommandAttempt& attempt) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void TakeReport(const SpawnReport& report) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  bool RetriesSpawn(const SpawnReport& report, CommandAttempt& attempt)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void LoseSpawner() ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);

  void FireTimers(base::SteadyTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void Fire(const Timer& timer, base::SteadyTime time) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);

  // Takes the attempt off the table, its outcome to be reported at the end of the step.
  void Settle(uint64_t id, engine::Outcome outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void Report() ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);

  const CommandCatalog& catalog_;
  engine::AttemptSink& sink_;
  base::Logger& logger_;

  Poller poller_;
  CommandLauncher launcher_;

  Mail mail_{&poller_};

  base::ThreadRole thread_;
  // By the numbers of their tokens.
  absl::flat_hash_map<uint64_t, std::unique_ptr<CommandAttempt>> attempts_ ABSL_GUARDED_BY(thread_);
  // To be handed to the spawner.
  std::deque<uint64_t> waiting_ ABSL_GUARDED_BY(thread_);
  // Handed to it, and not watched yet: by when they are to be, in this order.
  std::deque<std::pair<base::SteadyTime, uint64_t>> unwatched_ ABSL_GUARDED_BY(thread_);
  std::multimap<base::SteadyTime, Timer> timers_ ABSL_GUARDED_BY(thread_);
  std::vector<engine::Outcome> outcomes_ ABSL_GUARDED_BY(thread_);
};

}  // namespace jobrunner::workers
