#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "simulation/batch_checker.h"
#include "simulation/chance.h"
#include "simulation/fake_executor.h"
#include "simulation/fake_workers.h"
#include "simulation/faults.h"
#include "simulation/moments.h"
#include "simulation/slow_store.h"
#include "simulation/timeline.h"
#include "simulation/trace.h"
#include "simulation/verdict.h"

namespace jobrunner::simulation {

class Clients;

// One engine with a store, an executor and clients, all of one seed, in virtual time; and
// everything that it does is held against what was promised. First the clients are busy and
// everything goes wrong; then faults end, and everything has to come to its end. For one thread.
class World {
 public:
  explicit World(uint64_t seed, Fault fault = Fault::kNone);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // To the end, or to the first thing that is wrong.
  void Run();

  const Verdict& verdict() const { return verdict_; }
  // Equal for equal seeds.
  uint64_t trace() const { return trace_.hash(); }
  // Whether the fault came about.
  bool fault_fired() const { return fault_fired_; }
  int64_t jobs() const { return jobs_; }
  int64_t steps() const { return steps_; }
  int64_t restarts() const { return restarts_; }
  const CancelMoments& cancel_moments() const { return cancel_moments_; }
  const RemoteMoments& remote_moments() const { return remote_moments_; }

  // For the clients.
  Timeline& timeline() { return timeline_; }
  Chance& chance() { return chance_; }
  const engine::EngineOptions& options() const { return options_; }
  const std::vector<std::string>& queue_names() const { return queue_names_; }
  // Batches that were accepted and are not removed, the oldest first.
  std::vector<std::string> KnownBatches() const;
  BatchChecker* CheckerOf(const std::string& batch_id);
  const SlowStore& store() const { return store_; }
  bool busy() const { return phase_ == Phase::kBusy; }
  bool draining() const { return drain_told_.has_value(); }
  void Require(bool holds, const std::string& expected);
  // True once, when the fault is this one.
  bool Fires(Fault fault);
  // Gives the engine an input in the next Step. Of the kinds below through these alone.
  void Tell(engine::Input input) { inputs_.push_back(std::move(input)); }
  void TellSubmit(std::unique_ptr<engine::Submission> submission, v1::BatchSpec spec,
                  std::function<void(absl::StatusOr<v1::Batch>, bool)> reply);
  // Stages a shard, or drops what is staged, past the engine.
  void Stage(engine::Write write);
  void TellCancel(engine::Cancel cancel);
  void TellResize(engine::PoolBounds bounds);
  void TellReconfigure(std::vector<engine::QueueSettings> queues);
  void TellPause(const std::string& queue, bool paused);
  void TellDrain(std::chrono::nanoseconds grace);
  void CrashWorker() { executor_.CrashWorker(); }
  // Does nothing in a world without remote workers.
  void TroubleRemoteWorkers() {
    if (remote()) workers_.SufferSomething();
  }
  // Whether there are remote workers, and jobs for them.
  bool remote() const { return options_.own_handlers != nullptr; }

 private:
  enum class Phase { kBusy, kSettling, kEnding };

  // An attempt between its start and its outcome.
  struct Live {
    engine::AttemptToken token;
    std::string batch_id;
    int32_t index = 0;
    int32_t attempt = 0;
    std::string queue;
    base::SteadyTime stop_time = base::SteadyTime::max();
    bool stop_asked = false;
    // At a remote worker: its session, the last check before, and when it need not be waited for
    // any longer.
    engine::WorkerId at = engine::kOwnPool;
    int64_t check_before = 0;
    base::SteadyTime force_time = base::SteadyTime::max();
    // How its worker named it when it brought it to this server.
    engine::AttemptToken brought_as;
  };
  // Of a remote worker, as the engine must see it.
  struct Session {
    bool connected = true;
    bool welcomed = false;
    bool leaving = false;
    bool over = false;
    std::vector<std::string> handlers;
    int32_t slots = 0;
    base::SteadyTime last_heard{};
    // Its lease was over when it said something. Whether that came in time the engine says.
    bool spoke_late = false;
    int64_t check = 0;
    int64_t answered = 0;
    std::vector<engine::HeldAttempt> brought;
    // Attempts that it said it does not hold; and that it did not name when it left.
    std::set<uint64_t> denied;
    std::set<uint64_t> crossed;
  };
  struct QueueModel {
    engine::QueueSettings settings;
    bool paused = false;
    int64_t running = 0;
  };
  // A batch on its way in.
  struct Submitted {
    v1::BatchSpec spec;
    v1::JobOptions queue_defaults;
    base::SteadyTime call_deadline = base::SteadyTime::max();
  };
  // An outcome that the engine hears of in this Step.
  struct Ending {
    BatchChecker* checker = nullptr;
    int32_t index = 0;
    ToldOutcome told;
  };

  static engine::EngineOptions RandomEngine(Chance& chance,
                                            const std::vector<std::string>& queue_names,
                                            Fault fault);
  base::SteadyTime NextMoment() const;
  void Step();
  void Perform(engine::Effects effects);
  void PerformStops(const std::vector<engine::StopOrder>& stops);
  void PerformStarts(std::vector<engine::Assignment>& starts);
  void CheckWrites(const std::vector<engine::Write>& writes);
  void CheckWrite(const engine::Write& write);
  void Admit(const std::string& batch_id, const engine::Accepted& accepted);
  void SubmitNotice(const std::string& batch_id, const engine::Accepted& accepted);
  void CheckRemoval(const std::string& batch_id);
  void Store(std::vector<engine::Write> writes, engine::Sync sync, uint64_t ticket);
  void DropSomething(std::vector<engine::Write>* writes);
  void CheckPublishes(const engine::Effects& effects);
  void CheckStart(const engine::Assignment& assignment);
  void CheckMayStart(const Live& live, const std::string& name);
  void TellFromWorker(engine::Input input);
  void Note(const engine::WorkerJoin& join);
  void Note(const engine::WorkerAnswer& answer);
  void Note(const engine::WorkerLeaving& leaving);
  void PerformRemote(engine::RemoteOrders& orders);
  void WelcomeWorker(const engine::WorkerWelcome& welcome);
  void Adopt(engine::WorkerId worker, const engine::HeldAttempt& held, engine::AttemptToken token);
  void NoteStop(const engine::StopOrder& stop);
  void StartAtWorker(const engine::Assignment& assignment);
  void EndSession(const engine::WorkerEnd& end);
  // What the engine itself says of the end of attempts at remote workers: whether it may.
  void CheckRemoteEnds(BatchChecker& checker, const engine::Changed& changed);
  void CheckRemoteEnd(BatchChecker& checker, const engine::JobChange& change);
  void CheckGivenUp(BatchChecker& checker, const Live& live, const engine::JobChange& change);
  bool MayBeLost(const Live& live) const;
  bool IsLeaseOver(const Session& session) const;
  void Hear(Session& session) const;
  Live* FindLive(const std::string& batch_id, int32_t index);
  void CheckLeases();
  void CountMoments(const engine::Cancel& cancel);
  CancelMoment MomentOf(const BatchChecker& checker, int32_t index) const;
  void CheckAwake();
  void CheckStops();
  void CheckFolds();
  void Finished(engine::Outcome outcome, bool stale);
  void TellOutcome(engine::Outcome outcome);
  bool EverythingEnded() const;
  // Whether there is more to come.
  bool MoveOn();
  void CalmDown();
  void CheckEnd();
  void CheckStatistics();
  void Drained();
  // The server dies now and then, at something that its store does.
  bool ServerDies();
  // Another one takes its place, after a while.
  void Restart();
  size_t Survivors();
  void CheckSurvivors();
  void RestartCheckers();
  void RestartQueues();
  std::chrono::nanoseconds Slack() const;

  const Fault fault_;
  Verdict verdict_;
  Chance chance_;
  Timeline timeline_;
  const std::vector<std::string> queue_names_{"default", "fast", "slow"};
  engine::EngineOptions options_;
  // How late a Step may come.
  const std::chrono::nanoseconds lag_;
  std::unique_ptr<engine::Engine> engine_;
  SlowStore store_;
  FakeExecutor executor_;
  FakeWorkers workers_;
  Trace trace_;
  std::unique_ptr<Clients> clients_;

  Phase phase_ = Phase::kBusy;
  std::vector<engine::Input> inputs_;
  base::SteadyTime wake_ = base::SteadyTime::max();
  std::map<std::string, QueueModel> queues_;
  std::map<std::string, Submitted> submitted_;
  // By id. Of batches that were removed too.
  std::map<std::string, std::unique_ptr<BatchChecker>> checkers_;
  std::set<std::string> removed_;
  // Batches whose ends are told in the Step at hand, and those that finished in it and asked to be.
  std::set<std::string> told_;
  std::set<std::string> to_be_told_;
  std::map<uint64_t, Live> live_;
  // Those of them that the server's own pool has.
  int64_t live_in_pool_ = 0;
  std::map<engine::WorkerId, Session> sessions_;
  base::SteadyTime restarted_at_{};
  RemoteMoments remote_moments_;
  std::set<uint64_t> lost_slots_;
  std::map<uint64_t, Ending> endings_;
  int32_t pool_max_ = 0;
  int64_t unfinished_batches_ = 0;
  int64_t refused_ = 0;
  std::optional<base::SteadyTime> drain_told_;
  std::chrono::nanoseconds drain_grace_{0};
  std::optional<base::SteadyTime> drained_;
  // How many times the server may still die, and how likely at each thing that the store does.
  int64_t deaths_left_ = 0;
  double dying_ = 0;
  bool dead_ = false;
  int64_t restarts_ = 0;
  // By batch, up to which sequence it was shown.
  std::map<std::string, int64_t> shown_;
  // Commits that the engine was told of, and that it has shown.
  size_t commits_told_ = 0;
  size_t commits_shown_ = 0;
  // Those past the engine that were done since its last Step.
  size_t stagings_done_ = 0;
  CancelMoments cancel_moments_;
  bool fault_fired_ = false;
  // The attempt whose stops are swallowed.
  uint64_t never_stopped_ = 0;
  int64_t fault_countdown_ = 0;
  // A durable store is looked through once a minute for ever, so that time never ends by itself.
  base::SteadyTime give_up_at_ = base::SteadyTime::max();
  int64_t jobs_ = 0;
  int64_t steps_ = 0;
};

}  // namespace jobrunner::simulation
