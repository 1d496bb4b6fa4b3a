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
                                          const std::vector<std::string>& queue_names) {
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
  return options;
}

World::World(uint64_t seed, Fault fault)
    : fault_(fault),
      chance_(seed),
      options_(RandomEngine(chance_, queue_names_)),
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
  CheckWrites(effects.writes);
  if (verdict_.failed()) return;
  if (!effects.writes.empty()) Store(std::move(effects.writes), effects.sync, effects.ticket);
  if (dead_) return;
  CheckPublishes(effects);
  commits_shown_ = commits_told_;
  for (const auto& reply : effects.replies) reply();
  PerformStarts(effects.starts);
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

void World::CheckStart(const engine::Assignment& assignment) {
  const std::string id(assignment.batch_id());
  BatchChecker& checker = *checkers_.at(id);
  const auto fresh = live_.try_emplace(assignment.token.number);
  Require(fresh.second, "an attempt is started once");
  if (!fresh.second) return;
  Live& live = fresh.first->second;
  live.token = assignment.token;
  live.batch_id = id;
  live.index = assignment.index;
  live.attempt = assignment.attempt;
  live.queue = checker.fold().header().spec.queue();
  checker.Began(assignment.index);
  live.stop_time = checker.StopTime(assignment.index, timeline_.now().steady);
  QueueModel& queue = queues_.at(live.queue);
  ++queue.running;
  const std::string name = absl::StrCat(id, " job ", assignment.index, ": ");
  Require(store_.Find(id) != nullptr, name + "what runs is stable");
  // What may start is decided when the start is recorded, which may have been before.
  if (checker.RecordedStart(assignment.index) == timeline_.now().steady) CheckMayStart(live, name);
  Require(!checker.interventions.cancelled &&
              !checker.interventions.jobs_cancelled.contains(assignment.index),
          name + "nothing starts after its cancel");
  Require(assignment.deadline == live.stop_time, name + "an assignment knows its deadline");
}

void World::CheckMayStart(const Live& live, const std::string& name) {
  const QueueModel& queue = queues_.at(live.queue);
  Require(!draining(), name + "nothing starts in a drain");
  Require(static_cast<int64_t>(live_.size() + lost_slots_.size()) <= pool_max_,
          name + "no more run than the pool has slots");
  Require(!queue.paused, name + "nothing of a paused queue starts");
  Require(queue.settings.max_running == 0 || queue.running <= queue.settings.max_running,
          name + "no more run than max_running of the queue");
}

void World::CheckWrites(const std::vector<engine::Write>& writes) {
  for (const engine::Write& write : writes) {
    if (!verdict_.failed()) CheckWrite(write);
  }
  // A store that the server's end empties is not told what the next server would tell.
  const bool may_be_untold = !options_.durable && draining();
  Require(told_ == to_be_told_ || (told_.empty() && may_be_untold),
          "an end is in one commit with what tells it, once, to who asked to be told");
  told_.clear();
  to_be_told_.clear();
}

void World::CheckWrite(const engine::Write& write) {
  if (const auto* remove = std::get_if<engine::Remove>(&write)) {
    CheckRemoval(remove->batch_id);
    return;
  }
  if (std::holds_alternative<engine::ForgetRequest>(write)) return;
  const auto& append = std::get<engine::Append>(write);
  if (const auto* accepted = std::get_if<engine::Accepted>(&append.record)) {
    Admit(append.batch_id, *accepted);
    return;
  }
  auto found = checkers_.find(append.batch_id);
  Require(found != checkers_.end(), "a record is of a batch that was accepted");
  if (found == checkers_.end()) return;
  const bool finished = found->second->finished();
  found->second->Check(timeline_.now(), append.record);
  if (finished || !found->second->finished()) return;
  --unfinished_batches_;
  if (!found->second->spec().finished_url().empty()) to_be_told_.insert(append.batch_id);
}

void World::Admit(const std::string& batch_id, const engine::Accepted& accepted) {
  if (!accepted.header->spec.parent_id().empty()) SubmitNotice(batch_id, accepted);
  auto submitted = submitted_.find(batch_id);
  Require(submitted != submitted_.end() && !checkers_.contains(batch_id),
          "what is accepted was submitted, once");
  if (verdict_.failed()) return;
  const auto lateness = Slack() + 4 * lag_;
  auto checker = std::make_unique<BatchChecker>(accepted, std::move(submitted->second.spec),
                                                submitted->second.queue_defaults,
                                                timeline_.now().steady, lateness, &verdict_);
  checker->interventions.call_deadline = submitted->second.call_deadline;
  checker->interventions.draining = draining();
  checker->interventions.durable = options_.durable && !accepted.header->bound_to_call;
  jobs_ += accepted.header->job_count;
  ++unfinished_batches_;
  submitted_.erase(submitted);
  checkers_[batch_id] = std::move(checker);
}

// What tells a batch's end is submitted by the engine itself.
void World::SubmitNotice(const std::string& batch_id, const engine::Accepted& accepted) {
  const std::string& parent = accepted.header->spec.parent_id();
  Require(told_.insert(parent).second && checkers_.contains(parent), "an end is told once");
  if (verdict_.failed()) return;
  Submitted& submitted = submitted_[batch_id];
  submitted.spec = accepted.header->spec;
  // A shard's bytes are a description that has jobs alone.
  submitted.spec.MergeFromString(*accepted.shards.at(0).bytes);
  const v1::HttpRequest& request = submitted.spec.jobs(0).http();
  Require(request.idempotency_key() == parent &&
              request.url() == CheckerOf(parent)->spec().finished_url() &&
              request.body().find(parent) != std::string::npos,
          "what tells an end says whose it is");
  submitted.queue_defaults = queues_[submitted.spec.queue()].settings.job_defaults;
}

void World::CheckRemoval(const std::string& batch_id) {
  auto found = checkers_.find(batch_id);
  Require(found != checkers_.end() && found->second->finished(), "only what finished is removed");
  if (verdict_.failed()) return;
  const v1::BatchSpec& spec = found->second->spec();
  const auto retention =
      spec.has_retention() ? engine::FromDuration(spec.retention()) : options_.retention;
  const bool room_needed =
      !options_.durable && options_.kept_bytes_max != engine::kMemoryStoreBytesDefault;
  // A durable store goes by the wall clock, which jumps.
  const bool over = options_.durable
                        ? timeline_.now().wall >= found->second->fold().finish_time() + retention
                        : timeline_.now().steady >= found->second->finished_at() + retention;
  Require(room_needed || over,
          absl::StrCat(batch_id, ": a finished batch is kept for its retention"));
  removed_.insert(batch_id);
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

void World::CheckPublishes(const engine::Effects& effects) {
  const auto stable = [this](const std::string& id, int64_t sequence) {
    const engine::Batch* batch = store_.Find(id);
    return store_.WasRemoved(id) || (batch != nullptr && batch->last_sequence() >= sequence);
  };
  for (const engine::Publish& publish : effects.publishes) {
    Require(stable(publish.batch->id, publish.last_sequence),
            publish.batch->id + ": what is published is stable");
    int64_t& shown = shown_[publish.batch->id];
    shown = std::max(shown, publish.last_sequence);
  }
  for (const engine::Notice& notice : effects.notices) {
    Require(stable(notice.batch->id, notice.event.sequence()),
            notice.batch->id + ": what listeners hear of is stable");
  }
}

// The engine was called as late as it asked to be: what is due must not be older.
void World::CheckAwake() {
  const base::SteadyTime now = timeline_.now().steady;
  for (const auto& [number, live] : live_) {
    Require(live.stop_asked || Later(live.stop_time, lag_) >= now,
            absl::StrCat(live.batch_id, " job ", live.index,
                         ": the engine wakes when a deadline passes"));
  }
}

void World::CheckStops() {
  for (const auto& [number, live] : live_) {
    if (live.stop_asked) continue;
    const std::string name = absl::StrCat(live.batch_id, " job ", live.index, ": ");
    const BatchChecker& checker = *checkers_.at(live.batch_id);
    Require(live.stop_time > timeline_.now().steady, name + "what runs is stopped at its deadline");
    Require(!checker.CancelRecorded(live.index), name + "what runs is stopped by its cancel");
    Require(!checker.interventions.cancelled &&
                !checker.interventions.jobs_cancelled.contains(live.index),
            name + "a cancel acts at once");
  }
}

void World::CheckFolds() {
  const auto known = KnownBatches();
  if (known.empty() || verdict_.failed()) return;
  const std::string id = chance_.OneOf(known);
  const engine::Batch& fold = checkers_.at(id)->fold();
  const engine::Batch* stored = store_.Find(id);
  if (options_.durable && stored != nullptr && stored->finished()) return;
  const auto described = engine_->DescribeBatch(id);
  Require(described.ok() && described->SerializeAsString() == fold.Describe().SerializeAsString(),
          id + ": a batch is the fold of its records");
  const auto index = static_cast<int32_t>(chance_.Between(0, fold.job_count() - 1));
  const auto job = engine_->DescribeJob(id, index);
  Require(job.ok() && job->status.state() == fold.StateSeen(index) &&
              job->result_sequence == fold.Job(index).result_sequence,
          absl::StrCat(id, " job ", index, ": a job is the fold of its records"));
  for (const auto& [name, queue] : engine_->CountAll().queues) {
    Require(queue.queued >= 0 && queue.running >= 0 && queue.retrying >= 0,
            name + ": no count is negative");
  }
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
  live_.erase(found);
  const bool cancel_first = chance_.Of(0.5);
  if (cancel_first) clients_->RaceOutcome(ended.batch_id, ended.index);
  TellOutcome(std::move(outcome));
  if (!cancel_first) clients_->RaceOutcome(ended.batch_id, ended.index);
}

void World::TellOutcome(engine::Outcome outcome) {
  if (chance_.Of(0.3)) {
    std::vector<engine::Outcome> many;
    many.push_back(std::move(outcome));
    Tell(std::move(many));
  } else {
    Tell(std::move(outcome));
  }
}

void World::TellSubmit(std::unique_ptr<engine::Submission> submission, v1::BatchSpec spec,
                       std::function<void(absl::StatusOr<v1::Batch>, bool)> reply) {
  Submitted& submitted = submitted_[submission->batch_id];
  const std::string queue = spec.queue().empty() ? engine::kDefaultQueue : spec.queue();
  submitted.queue_defaults = queues_[queue].settings.job_defaults;
  submitted.spec = std::move(spec);
  submitted.call_deadline = submission->call_deadline;
  if (options_.durable && !submission->request_id.empty()) {
    submission->looked_up_at = timeline_.now().steady;
    submission->known = store_.Known(submission->request_id);
  }
  Tell(engine::Submit{std::move(submission), std::move(reply)});
}

CancelMoment World::MomentOf(const BatchChecker& checker, int32_t index) const {
  const v1::JobState state = checker.fold().Job(index).state;
  if (state == v1::JOB_STATE_QUEUED) return CancelMoment::kQueued;
  if (state == v1::JOB_STATE_RETRYING) return CancelMoment::kRetrying;
  if (state != v1::JOB_STATE_RUNNING) return CancelMoment::kEnded;
  if (!checker.HasBegun(index)) return CancelMoment::kHeld;
  for (const auto& [number, ending] : endings_) {
    if (ending.checker == &checker && ending.index == index) return CancelMoment::kFinishing;
  }
  const bool is_due =
      checker.StopTime(index, checker.RecordedStart(index)) <= timeline_.now().steady;
  return is_due ? CancelMoment::kDeadlineFiring : CancelMoment::kRunning;
}

void World::CountMoments(const engine::Cancel& cancel) {
  const BatchChecker& checker = *checkers_.at(cancel.batch_id);
  for (const int32_t index : cancel.indexes) cancel_moments_.Count(MomentOf(checker, index));
  if (!cancel.indexes.empty()) return;
  for (int32_t index = 0; index < checker.fold().job_count(); ++index) {
    cancel_moments_.Count(MomentOf(checker, index));
  }
}

void World::Stage(engine::Write write) {
  store_.Commit({std::move(write)}, engine::Sync::kNow, [this] { ++stagings_done_; });
}

void World::TellCancel(engine::Cancel cancel) {
  CountMoments(cancel);
  Interventions& interventions = checkers_.at(cancel.batch_id)->interventions;
  if (cancel.indexes.empty()) interventions.cancelled = true;
  interventions.jobs_cancelled.insert(cancel.indexes.begin(), cancel.indexes.end());
  if (!Fires(Fault::kCancelIgnored)) Tell(std::move(cancel));
}

void World::TellResize(engine::PoolBounds bounds) {
  pool_max_ = bounds.max;
  Tell(engine::ResizePool{bounds, nullptr});
}

void World::TellReconfigure(std::vector<engine::QueueSettings> queues) {
  queues_[engine::kDefaultQueue].settings = engine::QueueSettings();
  for (const engine::QueueSettings& queue : queues) queues_[queue.name].settings = queue;
  Tell(engine::ReconfigureQueues{std::move(queues)});
}

void World::TellPause(const std::string& queue, bool paused) {
  queues_[queue].paused = paused;
  Tell(engine::PauseQueue{queue, paused, [](absl::Status) {}});
}

void World::TellDrain(std::chrono::nanoseconds grace) {
  drain_told_ = timeline_.now().steady;
  drain_grace_ = grace;
  for (const auto& [id, checker] : checkers_) checker->interventions.draining = true;
  Tell(engine::Drain{grace, [this] { Drained(); }});
}

void World::Drained() {
  Require(!drained_.has_value(), "drained is called once");
  drained_ = timeline_.now().steady;
  Require(live_.empty(), "nothing runs when the engine is drained");
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

void World::CheckEnd() {
  for (const auto& [id, checker] : checkers_) {
    if (removed_.contains(id)) continue;
    const engine::Batch* stored = store_.Find(id);
    Require(stored != nullptr && stored->Describe().SerializeAsString() ==
                                     checker->fold().Describe().SerializeAsString(),
            id + ": what is stored is what was written");
  }
  Require(engine_->CountAll().outcomes_refused == refused_, "each stale outcome is refused");
  Require(store_.staged() == 0, "nothing stays staged");
}

void World::CheckStatistics() {
  const engine::Statistics all = engine_->CountAll();
  for (const auto& [name, queue] : all.queues) {
    Require(queue.queued == 0 && queue.running == 0 && queue.retrying == 0,
            name + ": nothing is counted when nothing is left");
    const int64_t ended = queue.succeeded + queue.failed + queue.cancelled;
    Require(restarts_ > 0 || queue.accepted == ended, name + ": what was accepted has ended");
  }
  Require(all.batches_running == 0, "no batch is counted as running when all have finished");
  Require(all.slots_lost == static_cast<int64_t>(lost_slots_.size()), "lost slots are counted");
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
