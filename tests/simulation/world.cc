#include "simulation/world.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/proto_time.h"
#include "engine/submission.h"
#include "simulation/clients.h"
#include "simulation/random_batch.h"

namespace jobrunner::simulation {
namespace {

using engine::Later;

// More than any world needs: it does not come to its end.
constexpr int64_t kStepsMax = 3'000'000;
constexpr std::chrono::hours kSettlingMax{24};
// Where the store is slow, what is promised of time is promised but for it.
constexpr std::chrono::minutes kSlowStoreSlack{30};

}  // namespace

engine::EngineOptions World::RandomEngine(Chance& chance,
                                          const std::vector<std::string>& queue_names,
                                          Fault fault) {
  engine::EngineOptions options;
  options.epoch = static_cast<uint32_t>(chance.Between(1, 9));
  options.seed = chance.Seed();
  options.pool = {0, static_cast<int32_t>(chance.Skewed(1, 60))};
  options.queues = RandomQueues(chance, queue_names);
  options.durable = chance.Of(0.5);
  if (chance.Of(0.2)) options.jobs_unfinished_max = chance.Skewed(100, 5'000);
  if (chance.Of(0.4)) options.retention = chance.Milliseconds(1, 60'000);
  if (chance.Of(0.2)) options.kept_bytes_max = chance.Skewed(1'000, 1'000'000);
  if (chance.Of(0.4)) options.shards_loaded_max = chance.Between(0, 5);
  // The faults are of what the server has itself.
  if (fault == Fault::kNone && chance.Of(0.5)) {
    const std::set<std::string> own{"echo"};
    options.own_handlers = std::make_shared<const std::set<std::string>>(own);
    options.worker_lease = chance.Milliseconds(1'000, 30'000);
  }
  return options;
}

World::World(uint64_t seed, Fault fault)
    : fault_(fault),
      chance_(seed),
      options_(RandomEngine(chance_, queue_names_, fault)),
      lag_(chance_.Of(0.5) ? std::chrono::nanoseconds(0) : chance_.Milliseconds(1, 5)),
      engine_(std::make_unique<engine::Engine>(options_)),
      store_(&timeline_, &chance_, &verdict_, [this] { return ServerDies(); }),
      executor_(
          &timeline_, &chance_,
          {[this](engine::Outcome outcome, bool stale) { Finished(std::move(outcome), stale); },
           [this](engine::Input input) {
             if (auto* returned = std::get_if<engine::SlotReturned>(&input)) {
               // Of a server that is gone.
               if (returned->token.epoch != options_.epoch) return;
               lost_slots_.erase(returned->token.number);
             }
             Tell(std::move(input));
           }}),
      workers_(&timeline_, &chance_, options_.worker_lease,
               {[this](engine::Input input) { TellFromWorker(std::move(input)); },
                [this](engine::Outcome outcome) {
                  const auto live = live_.find(outcome.token.number);
                  const bool stale = live == live_.end() || live->second.at != outcome.at;
                  if (stale) remote_moments_.Count(RemoteMoment::kRefused);
                  Finished(std::move(outcome), stale);
                },
                [this](RemoteMoment moment) { remote_moments_.Count(moment); },
                [this] { return !draining() && !dead_; }}),
      clients_(std::make_unique<Clients>(this)),
      pool_max_(options_.pool.max) {
  for (const engine::QueueSettings& queue : options_.queues) queues_[queue.name].settings = queue;
  // A restart makes good what other faults did, and is their end.
  const bool may_die = fault_ == Fault::kNone || fault_ == Fault::kAcknowledgedLost;
  if (options_.durable && may_die && chance_.Of(0.7)) {
    deaths_left_ = chance_.Between(1, 6);
    dying_ = 0.001 * static_cast<double>(chance_.Skewed(1, 100));
  }
  if (fault_ != Fault::kNone) fault_countdown_ = chance_.Between(0, 20);
}

World::~World() = default;

void World::Run() {
  const base::SteadyTime busy_until = clients_->Schedule();
  if (remote()) workers_.Begin(options_.epoch);
  timeline_.At(busy_until, [this] { CalmDown(); });
  if (chance_.Of(0.4)) {
    const auto early = (busy_until - timeline_.now().steady) * chance_.Between(1, 100) / 100;
    timeline_.In(early, [this] { TellDrain(chance_.Milliseconds(1, 10'000)); });
  }
  while (!verdict_.failed() && MoveOn()) {
    const base::SteadyTime moment = NextMoment();
    const bool goes_on = moment < give_up_at_ && ++steps_ < kStepsMax;
    Require(goes_on, absl::StrCat("everything ends: batches left ", unfinished_batches_,
                                  ", attempts ", live_.size(), ", calls without an answer ",
                                  clients_->unanswered(), ", drained ", drained_.has_value()));
    if (!goes_on) return;
    timeline_.MoveTo(moment);
    timeline_.RunDue();
    if (!dead_) Step();
    if (dead_) Restart();
  }
  if (!verdict_.failed()) CheckEnd();
}

base::SteadyTime World::NextMoment() const {
  base::SteadyTime wake = wake_;
  if (!inputs_.empty()) return timeline_.now().steady;
  if (wake == base::SteadyTime::min()) wake = timeline_.now().steady;
  return std::min(timeline_.next(), Later(wake, lag_));
}

bool World::MoveOn() {
  switch (phase_) {
    case Phase::kBusy:
      return true;
    case Phase::kSettling:
      if (!draining() && EverythingEnded()) {
        CheckStatistics();
        TellDrain(std::chrono::seconds(1));
      }
      if (!draining()) return true;
      phase_ = Phase::kEnding;
      [[fallthrough]];
    case Phase::kEnding:
      // What it put back is for the next.
      if (drained_ && deaths_left_ > 0 && store_.idle()) {
        --deaths_left_;
        Restart();
      }
      if (phase_ != Phase::kEnding) return true;
      return !drained_ || !store_.idle() || !inputs_.empty() || clients_->unanswered() > 0;
  }
  return false;
}

bool World::EverythingEnded() const {
  return unfinished_batches_ == 0 && live_.empty() && inputs_.empty() && store_.idle() &&
         clients_->unanswered() == 0;
}

// Faults end, and nothing is in the way any more.
void World::CalmDown() {
  phase_ = Phase::kSettling;
  give_up_at_ = timeline_.now().steady + kSettlingMax;
  executor_.CalmDown();
  workers_.CalmDown();
  TellResize({0, 40});
  for (const std::string& name : queue_names_) TellPause(name, false);
}

void World::Step() {
  CheckAwake();
  commits_told_ += std::exchange(stagings_done_, 0);
  commits_told_ += static_cast<size_t>(std::count_if(
      inputs_.begin(), inputs_.end(),
      [](const engine::Input& input) { return std::holds_alternative<engine::Committed>(input); }));
  const base::Now now = timeline_.now();
  const auto interest = static_cast<engine::EventListener::Interest>(options_.seed % 3);
  engine::Effects effects = engine_->Step(now, interest, &inputs_);
  inputs_.clear();
  wake_ = effects.wake;
  if (fault_ == Fault::kWokenLate && wake_ > now.steady && wake_ != base::SteadyTime::max()) {
    fault_fired_ = true;
    wake_ = Later(wake_, std::chrono::seconds(20));
  }
  trace_.Add(now, effects);
  Perform(std::move(effects));
  if (dead_) return;
  CheckStops();
  if (chance_.Of(0.05)) CheckFolds();
  endings_.clear();
}

void World::Perform(engine::Effects effects) {
  Require(effects.failure.ok(), effects.failure.ToString());
  PerformStops(effects.stops);
  // Their graces may be over in this Step.
  for (const engine::StopOrder& stop : effects.remote.stops) NoteStop(stop);
  CheckWrites(effects.writes);
  if (verdict_.failed()) return;
  if (!effects.writes.empty()) Store(std::move(effects.writes), effects.sync, effects.ticket);
  if (dead_) return;
  CheckPublishes(effects);
  commits_shown_ = commits_told_;
  for (const auto& reply : effects.replies) reply();
  PerformStarts(effects.starts);
  PerformRemote(effects.remote);
  for (const engine::LoadShard& load : effects.loads) {
    store_.Load(load, [this](engine::ShardLoaded loaded) { Tell(std::move(loaded)); });
  }
  if (effects.find_expired) {
    store_.FindExpired(*effects.find_expired,
                       [this](engine::FoundExpired found) { Tell(std::move(found)); });
  }
}

void World::PerformStops(const std::vector<engine::StopOrder>& stops) {
  for (const engine::StopOrder& stop : stops) {
    auto live = live_.find(stop.token.number);
    if (live != live_.end()) {
      const bool asked_for = !live->second.stop_asked && !draining();
      if (asked_for && Fires(Fault::kStopSwallowed)) never_stopped_ = stop.token.number;
      // Nor by a second order, which may come in the same Step.
      if (never_stopped_ == stop.token.number) continue;
      live->second.stop_asked = true;
      executor_.Stop(stop);
      continue;
    }
    auto ending = endings_.find(stop.token.number);
    Require(ending != endings_.end(), "what is stopped was started");
    if (ending == endings_.end()) return;
    // It was stopped before its outcome was looked at, which came in the same Step.
    ending->second.told.stop_asked = true;
    ending->second.checker->Told(ending->second.index, ending->second.told);
  }
}

void World::PerformStarts(std::vector<engine::Assignment>& starts) {
  if (!starts.empty() && Fires(Fault::kStartedTwice)) starts.push_back(starts.front());
  for (engine::Assignment& assignment : starts) {
    CheckStart(assignment);
    if (verdict_.failed()) return;
    executor_.Start(std::move(assignment));
  }
}

void World::Store(std::vector<engine::Write> writes, engine::Sync sync, uint64_t ticket) {
  DropSomething(&writes);
  const bool early =
      fault_ == Fault::kAnsweredBeforeStored && store_.idle() && store_.slowest().count() > 0;
  if (early) {
    fault_fired_ = true;
    Tell(engine::Committed{ticket});
  }
  store_.Commit(std::move(writes), sync, [=, this] {
    if (!early) Tell(engine::Committed{ticket});
  });
}

void World::DropSomething(std::vector<engine::Write>* writes) {
  // The last ones of a batch that may have to make room at once would be missed by nobody.
  const bool makes_room =
      !options_.durable && options_.kept_bytes_max != engine::kMemoryStoreBytesDefault;
  const auto has_events = [makes_room](const engine::Write& write) {
    const auto* append = std::get_if<engine::Append>(&write);
    const auto* changed =
        append == nullptr ? nullptr : std::get_if<engine::Changed>(&append->record);
    if (changed == nullptr || changed->segment == nullptr) return false;
    return !makes_room || !changed->finish.has_value();
  };
  const bool torn = writes->size() > 1 && has_events(writes->back());
  if (torn && Fires(Fault::kCommitsTornApart)) writes->pop_back();
  const auto found = std::find_if(writes->begin(), writes->end(), has_events);
  if (found != writes->end() && Fires(Fault::kRecordDropped)) writes->erase(found);
}

void World::Finished(engine::Outcome outcome, bool stale) {
  const bool of_another_server = outcome.token.epoch != options_.epoch;
  if (stale || of_another_server) {
    ++refused_;
    if (!live_.empty() && Fires(Fault::kStaleOutcomeAccepted)) {
      outcome.token = live_.begin()->second.token;
    }
    Tell(std::move(outcome));
    return;
  }
  if (Fires(Fault::kOutcomeLost)) return;
  auto found = live_.find(outcome.token.number);
  Require(found != live_.end(), "an outcome is of what runs");
  if (found == live_.end()) return;
  const Live& live = found->second;
  Ending ending{checkers_.at(live.batch_id).get(), live.index, {}};
  ending.told.attempt = live.attempt;
  ending.told.succeeded = outcome.failure == nullptr;
  ending.told.stop_asked = live.stop_asked;
  if (outcome.failure != nullptr) ending.told.failure = *outcome.failure;
  if (outcome.command != nullptr) ending.told.exit_code = outcome.command->exit_code;
  ending.checker->Told(live.index, ending.told);
  endings_[outcome.token.number] = std::move(ending);
  if (outcome.abandoned) lost_slots_.insert(outcome.token.number);
  --queues_.at(live.queue).running;
  const Live ended = live;
  if (ended.at == engine::kOwnPool) --live_in_pool_;
  live_.erase(found);
  const bool cancel_first = chance_.Of(0.5);
  if (cancel_first) clients_->RaceOutcome(ended.batch_id, ended.index);
  TellOutcome(std::move(outcome));
  if (!cancel_first) clients_->RaceOutcome(ended.batch_id, ended.index);
}

void World::Drained() {
  Require(!drained_.has_value(), "drained is called once");
  drained_ = timeline_.now().steady;
  Require(options_.durable ? live_in_pool_ == 0 : live_.empty(),
          "nothing runs when the engine is drained, but what remote workers go on with");
  const auto late = *drained_ - *drain_told_ - drain_grace_ - std::chrono::seconds(2);
  Require(late <= Slack(), absl::StrCat("a drain ends two seconds after its grace; it was ",
                                        late / std::chrono::milliseconds(1), " ms later"));
  for (const auto& [id, checker] : checkers_) {
    Require(checker->finished() || checker->interventions.durable,
            id + ": what a drain cannot put back is ended");
  }
}

std::chrono::nanoseconds World::Slack() const {
  if (store_.slowest().count() > 0) return kSlowStoreSlack;
  return std::chrono::milliseconds(50);
}

std::vector<std::string> World::KnownBatches() const {
  std::vector<std::string> known;
  for (const auto& [id, checker] : checkers_) {
    if (!removed_.contains(id)) known.push_back(id);
  }
  return known;
}

BatchChecker* World::CheckerOf(const std::string& batch_id) { return checkers_.at(batch_id).get(); }

void World::Require(bool holds, const std::string& expected) {
  if (!holds) verdict_.Fail(absl::StrCat("it does not hold that ", expected));
}

bool World::Fires(Fault fault) {
  if (fault != fault_ || fault_fired_ || --fault_countdown_ > 0) return false;
  fault_fired_ = true;
  return true;
}

}  // namespace jobrunner::simulation
