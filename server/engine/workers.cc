// Remote workers come, hold, go.

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/engine_state.h"
#include "engine/proto_time.h"
#include "engine/refusal.h"
#include "google/rpc/code.pb.h"

namespace jobrunner::engine {
namespace {

// Checks in a lease: one that is late, or lost with its stream, leaves time for another.
constexpr int kChecksPerLease = 3;

absl::Status Ended(std::string_view reason, std::string_view message) {
  return Refuse(absl::StatusCode::kAborted, reason, message);
}

}  // namespace

void Engine::State::Attach(RunningAttempt& attempt, RemoteWorker& worker) {
  const int32_t free = worker.free();
  attempt.at = worker.id;
  attempt.place_at_worker = static_cast<uint32_t>(worker.attempts.size());
  worker.attempts.push_back(running_.SlotOf(attempt));
  fleet_.Settle(worker, free);
}

void Engine::State::Detach(RunningAttempt& attempt) {
  if (attempt.at == kOwnPool) {
    --own_running_;
    return;
  }
  RemoteWorker& worker = *fleet_.Find(attempt.at);
  const int32_t free = worker.free();
  const uint32_t place = attempt.place_at_worker;
  worker.attempts[place] = worker.attempts.back();
  running_.at(worker.attempts[place]).place_at_worker = place;
  worker.attempts.pop_back();
  fleet_.Settle(worker, free);
}

void Engine::State::Handle(WorkerJoin& join) {
  RemoteWorker& worker = fleet_.Add(join.worker, std::move(join.name), join.slots);
  worker.labels = std::move(join.labels);
  worker.sdk = std::move(join.sdk);
  worker.since = now_.wall;
  for (const std::string& need : join.handlers) fleet_.Offer(worker, need);
  RenewLease(worker);
  if (RemoteWorker* previous = fleet_.Find(join.previous)) TakeUp(worker, *previous, join);
  for (const HeldAttempt& held : join.held) {
    if (!ClaimFromStore(worker, held)) worker.denied_by = journal_.last_ticket();
  }
  WelcomeIfDecided(worker);
}

// What the session before held and the worker still has goes on; the rest of it is lost.
void Engine::State::TakeUp(RemoteWorker& worker, RemoteWorker& previous, WorkerJoin& join) {
  // Of a session whose welcome was not seen: the worker does not know the new names.
  absl::flat_hash_map<AttemptToken, AttemptToken> renamed;
  for (const Claim& claim : previous.claims) renamed[claim.held] = claim.token;
  std::erase_if(join.held, [&](const HeldAttempt& held) {
    const auto name = renamed.find(held.token);
    const AttemptToken token = name == renamed.end() ? held.token : name->second;
    RunningAttempt* attempt = running_.Find(token);
    if (attempt == nullptr || attempt->at != previous.id) return false;
    Detach(*attempt);
    Attach(*attempt, worker);
    attempt->check_before = 0;
    worker.claims.push_back({held.token, token});
    return true;
  });
  if (previous.connected) {
    effects_.remote.ends.push_back(
        {previous.id, Ended("SESSION_TAKEN", "another stream has taken the session up")});
  }
  RemoveWorker(previous, "its worker came back without it");
}

// What an earlier server had assigned.
bool Engine::State::ClaimFromStore(RemoteWorker& worker, const HeldAttempt& held) {
  ActiveBatch* active = FindActive(held.batch_id);
  if (active == nullptr) return false;
  // The latter by a session that was not welcomed before it ended.
  const bool claimable =
      active->unclaimed.contains(held.index) || active->claimed.contains(held.index);
  if (!claimable) return false;
  const auto remote = active->batch.RemoteOf(held.index);
  if (remote->epoch != held.token.epoch || remote->number != held.token.number) return false;
  active->unclaimed.erase(held.index);
  active->claimed[held.index] = {worker.id, held.token};
  ++worker.claims_pending;
  Attend(*active, static_cast<uint32_t>(active->batch.ShardOf(held.index)));
  return true;
}

// The attempt's shard is there.
void Engine::State::Adopt(ActiveBatch& active, uint32_t shard, int32_t index) {
  const ActiveBatch::Claimed claimed = active.claimed.at(index);
  active.claimed.erase(index);
  RemoteWorker* worker = fleet_.Find(claimed.worker);
  if (worker == nullptr) return EndLost(active, shard, index);
  AttemptToken token;
  RunningAttempt& attempt = running_.Add(&token);
  attempt.batch = &active;
  attempt.index = index;
  attempt.shard = shard;
  attempt.attempt = active.batch.Job(index).attempts;
  attempt.place_in_batch = static_cast<uint32_t>(active.running_slots.size());
  active.running_slots.push_back(token.slot);
  ++active.shards[shard].running;
  const auto ran_for =
      std::max(now_.wall - active.batch.RemoteOf(index)->start_time, std::chrono::nanoseconds(0));
  attempt.start_time = now_.steady - ran_for;
  Attach(attempt, *worker);
  const EffectiveOptions options = OptionsOf(active, JobOf(active, shard, index));
  SetAttemptTimer(attempt, token, options);
  worker->claims.push_back({claimed.held, token});
  --worker->claims_pending;
  WelcomeIfDecided(*worker);
  if (const v1::Error* cancel = active.batch.CancelOf(index)) {
    StopAttempt(token.slot, {.error = *cancel}, options.grace);
  }
}

void Engine::State::WelcomeIfDecided(RemoteWorker& worker) {
  if (worker.claims_pending > 0 || worker.welcomed || !worker.connected) return;
  // It drops what the welcome does not name, an outcome too: a crash must not take that back.
  if (!journal_.IsStored(worker.denied_by)) return unwelcomed_.push_back(worker.id);
  RenewLease(worker);
  const int32_t free = worker.free();
  worker.welcomed = true;
  fleet_.Settle(worker, free);
  effects_.remote.welcomes.push_back({worker.id, worker.claims});
  // Its stops were told to a stream that is no more.
  for (const uint32_t slot : worker.attempts) {
    const RunningAttempt& attempt = running_.at(slot);
    if (!attempt.stop || attempt.held) continue;
    const auto grace = std::max(attempt.force_time - now_.steady, std::chrono::nanoseconds(0));
    effects_.remote.stops.push_back({running_.TokenOf(slot), grace, worker.id});
  }
  worker.check = deadlines_.Set(now_.steady + options_.worker_lease / kChecksPerLease,
                                Deadlines::WorkerCheckDue{worker.id});
}

void Engine::State::WelcomeStored() {
  for (const WorkerId id : std::exchange(unwelcomed_, {})) {
    if (RemoteWorker* worker = fleet_.Find(id)) WelcomeIfDecided(*worker);
  }
}

void Engine::State::Handle(WorkerResize& resize) {
  RemoteWorker* worker = fleet_.Find(resize.worker);
  if (worker == nullptr) return;
  const int32_t free = worker->free();
  worker->slots = resize.slots;
  fleet_.Settle(*worker, free);
}

void Engine::State::Handle(WorkerLeaving& leaving) {
  RemoteWorker* worker = fleet_.Find(leaving.worker);
  if (worker == nullptr) return;
  const int32_t free = worker->free();
  worker->leaving = true;
  fleet_.Settle(*worker, free);
  if (!leaving.held) return;
  absl::flat_hash_set<uint64_t> held;
  for (const AttemptToken& token : *leaving.held) held.insert(token.number);
  const std::vector<uint32_t> attempts = worker->attempts;
  for (const uint32_t slot : attempts) {
    if (!held.contains(running_.at(slot).number)) PutBackUnbegun(slot);
  }
}

// Nothing of it has run: it counts for nothing, unless its job is to end.
void Engine::State::PutBackUnbegun(uint32_t slot) {
  RunningAttempt& attempt = running_.at(slot);
  const bool ends_job = attempt.stop && attempt.stop->ends_job();
  if (!ends_job) attempt.stop = StopCause{.error = {}, .put_back = true};
  Outcome outcome;
  outcome.token = running_.TokenOf(slot);
  outcome.at = attempt.at;
  outcome.failure = std::make_unique<Failure>();
  outcome.failure->code = google::rpc::CANCELLED;
  outcome.failure->message = "its worker left before it had begun";
  End(outcome);
}

void Engine::State::Fire(const Deadlines::WorkerCheckDue& due) {
  RemoteWorker& worker = *fleet_.Find(due.worker);
  effects_.remote.checks.push_back({worker.id, ++worker.check_number, {}});
  worker.check = deadlines_.Set(now_.steady + options_.worker_lease / kChecksPerLease,
                                Deadlines::WorkerCheckDue{worker.id});
}

// At the end of the Step, whose starts are told before its checks.
void Engine::State::FillChecks() {
  for (WorkerCheck& check : effects_.remote.checks) {
    RemoteWorker* worker = fleet_.Find(check.worker);
    if (worker == nullptr) continue;
    check.held.reserve(worker->attempts.size());
    for (const uint32_t slot : worker->attempts) {
      if (!running_.at(slot).held) check.held.push_back(running_.TokenOf(slot));
    }
  }
}

void Engine::State::Handle(WorkerAnswer& answer) {
  RemoteWorker* worker = fleet_.Find(answer.worker);
  // The answer to an older check is late, not silence: checks do not wait for answers.
  const bool is_news = worker != nullptr && answer.number > worker->answered &&
                       answer.number <= worker->check_number;
  if (!is_news) return;
  worker->answered = answer.number;
  RenewLease(*worker);
  absl::flat_hash_set<uint64_t> held;
  for (const AttemptToken& token : answer.held) held.insert(token.number);
  const int32_t free = worker->free();
  if (answer.number == worker->check_number) {
    std::erase_if(worker->given_up, [&](uint64_t number) { return !held.contains(number); });
  }
  fleet_.Settle(*worker, free);
  const std::vector<uint32_t> attempts = worker->attempts;
  for (const uint32_t slot : attempts) {
    const RunningAttempt& attempt = running_.at(slot);
    // What was assigned after the check need not be in the answer.
    const bool asked = !attempt.held && attempt.check_before < answer.number;
    if (asked && !held.contains(attempt.number)) Lose(slot, "its worker does not hold it any more");
  }
}

void Engine::State::Handle(WorkerGone& gone) {
  RemoteWorker* worker = fleet_.Find(gone.worker);
  if (worker == nullptr) return;
  const int32_t free = worker->free();
  worker->connected = false;
  fleet_.Settle(*worker, free);
  deadlines_.Cancel(&worker->check);
  RenewLease(*worker);
  if (worker->attempts.empty() && worker->claims_pending == 0) RemoveWorker(*worker, "");
}

void Engine::State::Fire(const Deadlines::LeaseEnd& end) {
  RemoteWorker& worker = *fleet_.Find(end.worker);
  worker.lease = {};
  // Before its welcome it is the server that is silent.
  if (worker.connected && !worker.welcomed) return RenewLease(worker);
  if (worker.connected) {
    journal_.EndWhenStored(
        {worker.id, Ended("LEASE_EXPIRED", "the worker did not answer for a lease")});
  }
  RemoveWorker(worker, "its worker was not heard of for a lease");
}

void Engine::State::RemoveWorker(RemoteWorker& worker, std::string why) {
  const int32_t free = worker.free();
  worker.connected = false;
  fleet_.Settle(worker, free);
  while (!worker.attempts.empty()) Lose(worker.attempts.back(), why);
  deadlines_.Cancel(&worker.check);
  deadlines_.Cancel(&worker.lease);
  fleet_.Remove(worker);
}

void Engine::State::RenewLease(RemoteWorker& worker) {
  deadlines_.Cancel(&worker.lease);
  worker.lease =
      deadlines_.Set(now_.steady + options_.worker_lease, Deadlines::LeaseEnd{worker.id});
}

// A server that stood still has not heard its workers: their silence is its own.
void Engine::State::ForgiveOwnStall() {
  if (step_due_ == base::SteadyTime::max()) return;
  if (now_.steady - step_due_ < options_.worker_lease / 2) return;
  for (const auto& [id, worker] : fleet_.workers()) RenewLease(*worker);
  if (has_unclaimed_) AwaitClaims();
}

// Whoever holds what an earlier server assigned has a lease to say so.
void Engine::State::AwaitClaims() {
  deadlines_.Cancel(&unclaimed_timer_);
  unclaimed_timer_ =
      deadlines_.Set(now_.steady + options_.worker_lease, Deadlines::UnclaimedDeadline{});
}

void Engine::State::Lose(uint32_t slot, std::string message) {
  // It was not sent: its start is still being stored.
  if (running_.at(slot).held) return PutBackUnbegun(slot);
  Outcome outcome;
  outcome.token = running_.TokenOf(slot);
  outcome.at = running_.at(slot).at;
  outcome.run_time = now_.steady - running_.at(slot).start_time;
  outcome.failure = std::make_unique<Failure>();
  outcome.failure->code = google::rpc::UNAVAILABLE;
  outcome.failure->reason = v1::REASON_WORKER_LOST;
  outcome.failure->message = std::move(message);
  End(outcome);
}

// It did not stop within its grace. The slot is its worker's until that lets go of it.
void Engine::State::Fire(const Deadlines::StopDeadline& deadline) {
  RunningAttempt& attempt = *running_.Find(deadline.token);
  attempt.force_timer = {};
  RemoteWorker& worker = *fleet_.Find(attempt.at);
  Outcome outcome;
  outcome.token = deadline.token;
  outcome.at = attempt.at;
  outcome.run_time = now_.steady - attempt.start_time;
  outcome.failure = std::make_unique<Failure>();
  outcome.failure->code = google::rpc::CANCELLED;
  outcome.failure->message = "its worker did not stop it within its grace";
  End(outcome);
  const int32_t free = worker.free();
  worker.given_up.insert(deadline.token.number);
  fleet_.Settle(worker, free);
}

void Engine::State::RefuseOutcome(const Outcome& outcome) {
  // The worker drops it then: what made it come too late must be stored.
  journal_.AcknowledgeWhenStored({outcome.at, outcome.token, /*accepted=*/false});
  RemoteWorker* worker = fleet_.Find(outcome.at);
  if (worker == nullptr) return;
  const int32_t free = worker->free();
  worker->given_up.erase(outcome.token.number);
  fleet_.Settle(*worker, free);
}

void Engine::State::Fire(const Deadlines::UnclaimedDeadline&) {
  unclaimed_timer_ = {};
  has_unclaimed_ = false;
  for (const auto& [id, active] : batches_) {
    for (const int32_t index : std::exchange(active->unclaimed, {})) {
      active->lost.insert(index);
      Attend(*active, static_cast<uint32_t>(active->batch.ShardOf(index)));
    }
    if (!active->lost.empty()) Settle(*active);
  }
}

}  // namespace jobrunner::engine
