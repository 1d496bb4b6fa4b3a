// What starts next; shards come and go.

#include <algorithm>
#include <utility>

#include "engine/engine_state.h"
#include "engine/proto_time.h"
#include "google/rpc/code.pb.h"

namespace jobrunner::engine {
namespace {

// How many jobs a batch starts in one turn, when there are slots enough for every batch's turn.
constexpr int64_t kStartsPerTurnMax = 64;

}  // namespace

bool Engine::State::CanStart(const ActiveBatch& active, const BatchNeed& need) const {
  if (!active.open || active.batch.finished() || active.batch.cancelled_by()) return false;
  if (active.waits_for_shard || !active.lost.empty()) return false;
  const int32_t most = active.batch.header().spec.max_parallelism();
  if (most > 0 && active.running() >= most) return false;
  if (!need.passed_over.empty()) return true;
  if (active.passed_over >= kPassedOverMax) return false;
  return !active.again.empty() || !active.fresh_shards.empty();
}

void Engine::State::Settle(ActiveBatch& active) {
  for (const auto& need : active.needs) {
    ReadyQueue& ready = need->capability->ready;
    if (CanStart(active, *need)) {
      ready.Join(&need->turn);
    } else {
      ready.Leave(&need->turn);
    }
  }
}

void Engine::State::SettleLane(QueueState& queue) {
  const bool open = !queue.paused && !queue.full();
  if (open == std::exchange(queue.open, open)) return;
  own_.ready.SetOpen(queue.lane, open);
  for (const auto& [name, capability] : fleet_.capabilities()) {
    capability->ready.SetOpen(capability->ready.LaneOf(queue.settings.name), open);
  }
}

Capability& Engine::State::CapabilityFor(std::string_view need) {
  const auto& own = options_.own_handlers;
  const std::string handler(need);
  if (need.empty() || own == nullptr || own->contains(handler)) return own_;
  return fleet_.Named(handler);
}

BatchNeed& Engine::State::NeedFor(ActiveBatch& active, const v1::Job& job) {
  if (active.needs.size() == 1) return *active.needs.front();
  const Capability& capability = CapabilityFor(NeedOf(job));
  for (const auto& need : active.needs) {
    if (need->capability == &capability) return *need;
  }
  return *active.needs.front();
}

void Engine::State::StartReady() {
  if (phase_ != Phase::kServing || store_is_behind()) return;
  int32_t left = kStartsPerStepMax;
  no_room_ = false;
  left -= StartReady(own_, left);
  // The remote ones by turns, so that one of them does not take all of every Step.
  const auto& remote = fleet_.capabilities();
  auto it = remote.begin();
  std::advance(it, remote.empty() ? 0 : capability_turn_++ % remote.size());
  for (size_t i = 0; i < remote.size() && left > 0 && !no_room_; ++i, ++it) {
    if (it == remote.end()) it = remote.begin();
    left -= StartReady(*it->second, left);
  }
  // More could start: Step again, after what has come in meanwhile.
  if (left == 0) effects_.wake = base::SteadyTime::min();
}

int32_t Engine::State::StartReady(Capability& capability, int32_t most) {
  int32_t left = most;
  // Fewer than none are free when the pool was made smaller.
  if (&capability == &own_ && free_slots() > 0 && own_.ready.Next() != nullptr) {
    effects_.starts.reserve(std::min(left, free_slots()));
  }
  // Without room for its shard a batch keeps its turn until a shard has arrived.
  while (left > 0 && FreeSlots(capability) > 0 && !no_room_) {
    ReadyQueue::Entry* turn = capability.ready.Next();
    if (turn == nullptr) break;
    ActiveBatch& active = turn->batch();
    const auto need = std::find_if(active.needs.begin(), active.needs.end(),
                                   [&](const auto& one) { return &one->turn == turn; });
    const int32_t started =
        StartSome(active, **need, std::min(left, StartsAllowed(active, capability)));
    capability.ready.Charge(turn, started);
    left -= started;
    Settle(active);
    SettleLane(*active.queue);
  }
  return most - left;
}

int32_t Engine::State::StartsAllowed(const ActiveBatch& active,
                                     const Capability& capability) const {
  // One at a time where slots are scarce, so that turns are fair; more where there are plenty.
  const int64_t free = FreeSlots(capability);
  const int64_t a_turn =
      std::clamp<int64_t>(free / (2 * capability.ready.size()), 1, kStartsPerTurnMax);
  int64_t allowed = std::min<int64_t>(a_turn, free);
  if (const int32_t most = active.batch.header().spec.max_parallelism(); most > 0) {
    allowed = std::min<int64_t>(allowed, most - active.running());
  }
  if (const QueueState& queue = *active.queue; queue.settings.max_running > 0) {
    allowed = std::min<int64_t>(allowed, queue.settings.max_running - queue.running);
  }
  return static_cast<int32_t>(allowed);
}

// Starts up to `count` jobs. When it starts fewer, the batch has no more to start now, or no room.
int32_t Engine::State::StartSome(ActiveBatch& active, BatchNeed& need, int32_t count) {
  int32_t started = 0;
  while (started < count && CanStart(active, need) && !no_room_) {
    if (!need.passed_over.empty()) {
      started += StartWaiting(active, need, need.passed_over);
    } else if (!active.again.empty()) {
      started += StartWaiting(active, need, active.again);
    } else {
      started += StartFresh(active, need);
    }
  }
  LoadAhead(active);
  return started;
}

bool Engine::State::StartWaiting(ActiveBatch& active, BatchNeed& need,
                                 std::deque<std::pair<int32_t, base::SteadyTime>>& waiting) {
  const auto [index, since] = waiting.front();
  const auto shard = static_cast<uint32_t>(active.batch.ShardOf(index));
  if (Loaded(active, shard, LoadsAtLeast(*need.capability)) == nullptr) {
    active.waits_for_shard = !no_room_;
    return false;
  }
  waiting.pop_front();
  if (&waiting == &need.passed_over) --active.passed_over;
  const bool started = TryStart(active, need, shard, index, since);
  if (!started) ReleaseIfIdle(active, shard);
  return started;
}

bool Engine::State::StartFresh(ActiveBatch& active, BatchNeed& need) {
  const uint32_t shard = *active.fresh_shards.begin();
  if (Loaded(active, shard, LoadsAtLeast(*need.capability)) == nullptr) {
    active.waits_for_shard = !no_room_;
    return false;
  }
  ShardRun& run = active.shards[shard];
  const Shard& stored = active.batch.shards()[shard];
  const int32_t index = stored.first_index + run.next_fresh++;
  if (run.next_fresh == stored.count) active.fresh_shards.erase(shard);
  const JobFold job = active.batch.Job(index);
  // An earlier server has looked at it already.
  if (job.state != v1::JOB_STATE_QUEUED) {
    ReleaseIfIdle(active, shard);
    return false;
  }
  const EffectiveOptions options = OptionsOf(active, JobOf(active, shard, index));
  const base::SteadyTime ready_at = Later(active.accepted_at, options.delay);
  // What was started once has had its delay, also where the wall clock was set back since.
  if (ready_at > now_.steady && !job.started) {
    retries_.Add(&active, index, ready_at);
    ReleaseIfIdle(active, shard);
    return false;
  }
  const bool started = TryStart(active, need, shard, index, std::min(ready_at, now_.steady));
  if (!started) ReleaseIfIdle(active, shard);
  return started;
}

bool Engine::State::TryStart(ActiveBatch& active, BatchNeed& need, uint32_t shard, int32_t index,
                             base::SteadyTime ready_since) {
  // Cancelled meanwhile.
  const JobFold job = active.batch.Job(index);
  if (job.state != v1::JOB_STATE_QUEUED || active.batch.CancelOf(index) != nullptr) return false;
  const EffectiveOptions options = OptionsOf(active, JobOf(active, shard, index));
  const bool expired =
      Later(active.accepted_at, options.total_bound()) <= now_.steady ||
      (!job.started && Later(active.accepted_at, options.start_bound()) <= now_.steady);
  if (expired) {
    Attend(active, shard);
    return false;
  }
  BatchNeed& its_need = NeedFor(active, JobOf(active, shard, index));
  if (&its_need != &need) {
    its_need.passed_over.emplace_back(index, ready_since);
    ++active.passed_over;
    return false;
  }
  active.queue->counts.queue_wait.Add(now_.steady - ready_since);
  Start(active, need, shard, index, options);
  return true;
}

void Engine::State::Start(ActiveBatch& active, BatchNeed& need, uint32_t shard, int32_t index,
                          const EffectiveOptions& options) {
  ShardRun& run = active.shards[shard];
  Assignment assignment;
  RunningAttempt& attempt = running_.Add(&assignment.token);
  JobChange start{.index = index, .transition = JobTransition::kStart};
  if (need.capability == &own_) {
    ++own_running_;
  } else {
    Attach(attempt, fleet_.Next(*need.capability));
    start.remote_epoch = assignment.token.epoch;
    start.remote_number = assignment.token.number;
  }
  journal_.Change(active, start);
  attempt.batch = &active;
  attempt.index = index;
  attempt.shard = shard;
  attempt.attempt = active.batch.Job(index).attempts;
  attempt.place_in_batch = static_cast<uint32_t>(active.running_slots.size());
  active.running_slots.push_back(assignment.token.slot);
  ++run.running;
  ++active.queue->running;
  ++active.queue->counts.attempts_started;

  assignment.jobs = run.jobs;
  assignment.index = index;
  assignment.attempt = attempt.attempt;
  assignment.stream_output = options.stream_output;
  assignment.at = attempt.at;
  // Should it be lost it must not run again: so it does not run before the store knows of it.
  attempt.held = options_.durable && !active.batch.header().bound_to_call &&
                 active.batch.Job(index).lost_attempts >= options.max_lost_attempts;
  if (attempt.held) {
    SetAttemptTimer(attempt, assignment.token, options);
    journal_.StartWhenStored(std::move(assignment));
  } else {
    Begin(attempt, options, std::move(assignment));
  }
}

void Engine::State::Begin(RunningAttempt& attempt, const EffectiveOptions& options,
                          Assignment&& assignment) {
  const ActiveBatch& active = *attempt.batch;
  attempt.start_time = now_.steady;
  deadlines_.Cancel(&attempt.timer);
  SetAttemptTimer(attempt, assignment.token, options);
  assignment.deadline =
      std::min({Later(now_.steady, options.timeout),
                Later(active.accepted_at, options.total_bound()), active.ends_at});
  if (assignment.deadline != base::SteadyTime::max()) {
    assignment.wall_deadline = now_.wall + (assignment.deadline - now_.steady);
  }
  if (attempt.at == kOwnPool) {
    effects_.starts.push_back(std::move(assignment));
  } else {
    attempt.check_before = fleet_.Find(attempt.at)->check_number;
    effects_.remote.starts.push_back(std::move(assignment));
  }
}

// Not before the Step's stops: an executor is told of these first, and knows nothing of what begins
// after them. So what will not begin ends first, since that may stop others.
void Engine::State::BeginHeld() {
  std::vector<Assignment> starts = std::exchange(stored_starts_, {});
  while (std::erase_if(starts, [&](const Assignment& start) { return EndUnlessToBegin(start); }) >
         0) {
  }
  for (Assignment& start : starts) {
    RunningAttempt& attempt = *running_.Find(start.token);
    attempt.held = false;
    const EffectiveOptions options = OptionsOf(*attempt.batch, start.job());
    Begin(attempt, options, std::move(start));
  }
}

bool Engine::State::EndUnlessToBegin(const Assignment& start) {
  RunningAttempt* const attempt = running_.Find(start.token);
  // Lost meanwhile, with its remote worker.
  if (attempt == nullptr) return true;
  const bool sendable = attempt->at == kOwnPool || fleet_.Find(attempt->at)->connected;
  if (sendable && !attempt->stop) return false;
  attempt->held = false;
  if (!sendable) {
    PutBackUnbegun(running_.SlotOf(*attempt));
    return true;
  }
  Outcome outcome;
  outcome.token = start.token;
  outcome.at = attempt->at;
  outcome.failure = std::make_unique<Failure>();
  outcome.failure->code = google::rpc::CANCELLED;
  outcome.failure->message = "was stopped before it began";
  Handle(outcome);
  return true;
}

void Engine::State::SetAttemptTimer(RunningAttempt& attempt, const AttemptToken& token,
                                    const EffectiveOptions& options) {
  // While it is held its own timeout does not run.
  const base::SteadyTime own =
      attempt.held ? base::SteadyTime::max() : Later(attempt.start_time, options.timeout);
  const base::SteadyTime total = Later(attempt.batch->accepted_at, options.total_bound());
  // Once its own timeout has passed it is asked to stop, and total_timeout is what is left.
  const bool timed_out = attempt.timer_reason == v1::REASON_ATTEMPT_TIMEOUT;
  const bool own_first = own < total && !timed_out;
  attempt.timer_reason = own_first ? v1::REASON_ATTEMPT_TIMEOUT : v1::REASON_TOTAL_TIMEOUT;
  attempt.timer = deadlines_.Set(own_first ? own : total, Deadlines::AttemptDeadline{token});
}

void Engine::State::RequeueDue() {
  int32_t left = kSweptJobsPerStepMax;
  while (left-- > 0) {
    const auto due = retries_.PopDue(now_.steady);
    if (!due) return;
    ActiveBatch& active = *due->batch;
    if (active.batch.Job(due->index).state == v1::JOB_STATE_RETRYING) {
      journal_.Change(active, {.index = due->index, .transition = JobTransition::kRequeue});
      --active.queue->retrying;
    }
    active.again.emplace_back(due->index, due->time);
    Settle(active);
  }
}

const ShardJobs* Engine::State::Loaded(ActiveBatch& active, uint32_t shard,
                                       int32_t loads_at_least) {
  ShardRun& run = active.shards[shard];
  if (run.jobs != nullptr || run.loading) return run.jobs.get();
  // What is loaded may be held by batches that wait: some loads must be possible all the same.
  const bool room = shards_loaded_ + shards_loading_ < options_.shards_loaded_max;
  if (!room && shards_loading_ >= loads_at_least) {
    no_room_ = true;
    return nullptr;
  }
  run.loading = true;
  ++shards_loading_;
  effects_.loads.push_back({active.batch.id(), active.batch.shards()[shard].first_index});
  return nullptr;
}

// Has the next shard loaded while the one before it is being started.
void Engine::State::LoadAhead(ActiveBatch& active) {
  const bool room = shards_loaded_ + shards_loading_ < options_.shards_loaded_max;
  if (active.fresh_shards.size() < 2 || !room) return;
  auto next = active.fresh_shards.begin();
  const ShardRun& now_starting = active.shards[*next];
  if (now_starting.next_fresh == 0) return;
  Loaded(active, *++next, /*loads_at_least=*/0);
}

void Engine::State::ReleaseIfIdle(ActiveBatch& active, uint32_t shard) {
  ShardRun& run = active.shards[shard];
  if (run.jobs == nullptr || run.running > 0 || active.fresh_shards.contains(shard)) return;
  if (active.attention.contains(shard)) return;
  run.jobs.reset();
  --shards_loaded_;
}

void Engine::State::Handle(ShardLoaded& loaded) {
  --shards_loading_;
  ActiveBatch* active = FindActive(loaded.batch_id);
  if (active == nullptr || active->batch.finished()) return;
  if (!loaded.jobs.ok()) {
    effects_.failure = loaded.jobs.status();
    return;
  }
  const auto shard = static_cast<uint32_t>(active->batch.ShardOf(loaded.first_index));
  ShardRun& run = active->shards[shard];
  run.loading = false;
  run.jobs = *std::move(loaded.jobs);
  ++shards_loaded_;
  active->waits_for_shard = false;
  if (!active->attention.empty()) ListForAttention(*active);
  Settle(*active);
}

EffectiveOptions Engine::State::OptionsOf(const ActiveBatch& active, const v1::Job& job) {
  return job.has_options() ? Overlay(active.defaults, job.options()) : active.defaults;
}

void Engine::State::Handle(PauseQueue& pause) {
  absl::Status status;
  auto found = queues_.find(pause.queue);
  if (found == queues_.end()) {
    status = absl::NotFoundError("there is no queue \"" + pause.queue + "\"");
  } else {
    found->second->paused = pause.paused;
    SettleLane(*found->second);
  }
  journal_.WhenStored([reply = std::move(pause.reply), status] { reply(status); });
}

void Engine::State::Handle(ResizePool& resize) {
  options_.pool = resize.bounds;
  effects_.resize = resize.bounds;
  if (resize.reply) journal_.WhenStored(std::move(resize.reply));
}

void Engine::State::Handle(ReconfigureQueues& reconfigure) {
  for (auto& [name, queue] : queues_) queue->listed = false;
  AddQueue(QueueSettings());
  for (QueueSettings& settings : reconfigure.queues) AddQueue(std::move(settings));
}

}  // namespace jobrunner::engine
