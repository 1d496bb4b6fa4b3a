// Cancels and deadlines.

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/engine_state.h"
#include "engine/proto_time.h"
#include "engine/refusal.h"
#include "engine/stop_errors.h"

namespace jobrunner::engine {
namespace {

// Shards of one batch that are being loaded to be looked at.
constexpr int32_t kAttentionLoadsMax = 4;

bool Waits(v1::JobState state) {
  return state == v1::JOB_STATE_QUEUED || state == v1::JOB_STATE_RETRYING;
}

}  // namespace

void Engine::State::Handle(Cancel& cancel) {
  ActiveBatch* active = FindActive(cancel.batch_id);
  absl::Status refused;
  if (active == nullptr) {
    refused = Refuse(absl::StatusCode::kNotFound, "BATCH_NOT_FOUND",
                     absl::StrCat("there is no batch \"", cancel.batch_id, "\""));
  } else {
    for (size_t i = 0; i < cancel.indexes.size() && refused.ok(); ++i) {
      if (cancel.indexes[i] >= 0 && cancel.indexes[i] < active->batch.job_count()) continue;
      refused = Refuse(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT",
                       absl::StrCat("job_indexes[", i, "]: the batch has jobs 0 to ",
                                    active->batch.job_count() - 1));
    }
  }
  if (!refused.ok()) {
    if (cancel.reply) journal_.WhenStored([reply = cancel.reply, refused] { reply(refused); });
    return;
  }
  if (!active->batch.finished()) {
    v1::Error error = CancelError(cancel.reason, cancel.message);
    if (cancel.indexes.empty()) {
      CancelBatch(*active, std::move(error), cancel.grace);
    } else {
      CancelJobs(*active, cancel, error);
    }
  }
  if (cancel.reply) {
    journal_.WhenStored(
        [reply = std::move(cancel.reply), batch = active->batch.Describe()] { reply(batch); });
  }
}

void Engine::State::CancelBatch(ActiveBatch& active, v1::Error error,
                                std::optional<std::chrono::nanoseconds> grace) {
  if (active.batch.finished()) return;
  if (!active.batch.cancelled_by()) {
    journal_.RequestCancel(active, {now_.wall, {}, error});
    Settle(active);
    for (uint32_t i = 0; i < active.shards.size(); ++i) {
      if (active.batch.unfinished_in_shard(i) > 0) active.attention.insert(i);
    }
    ListForAttention(active);
  }
  // Also when it was cancelled before: the grace may be shorter now.
  for (uint32_t slot : active.running_slots) {
    const RunningAttempt& attempt = running_.at(slot);
    const auto& job = JobOf(active, attempt.shard, attempt.index);
    StopAttempt(slot, {.error = error}, grace ? *grace : OptionsOf(active, job).grace);
  }
}

void Engine::State::CancelJobs(ActiveBatch& active, const Cancel& cancel, const v1::Error& error) {
  CancelRequested request{now_.wall, {}, error};
  // What was cancelled before keeps its reason.
  const absl::flat_hash_set<int32_t> indexes(cancel.indexes.begin(), cancel.indexes.end());
  for (int32_t index : cancel.indexes) {
    const v1::JobState state = active.batch.Job(index).state;
    const bool ends = Waits(state) || state == v1::JOB_STATE_RUNNING;
    if (!ends || active.batch.CancelOf(index) != nullptr) continue;
    request.indexes.push_back(index);
    if (Waits(state)) Attend(active, static_cast<uint32_t>(active.batch.ShardOf(index)));
  }
  for (uint32_t slot : active.running_slots) {
    const bool named = indexes.contains(running_.at(slot).index);
    if (named) StopAttempt(slot, {.error = error}, cancel.grace);
  }
  if (!request.indexes.empty()) journal_.RequestCancel(active, std::move(request));
}

void Engine::State::StopAttempt(uint32_t slot, const StopCause& cause,
                                std::chrono::nanoseconds grace) {
  RunningAttempt& attempt = running_.at(slot);
  // The first cause that ends the job stays; one that ends the attempt alone, or puts the job back,
  // gives way to it.
  const bool gives_way = attempt.stop && cause.ends_job() && !attempt.stop->ends_job();
  if (!attempt.stop || gives_way) attempt.stop = cause;
  const base::SteadyTime force = Later(now_.steady, grace);
  if (force >= attempt.force_time) return;
  attempt.force_time = force;
  if (attempt.held) return;
  const StopOrder order{running_.TokenOf(slot), grace, attempt.at};
  if (attempt.at == kOwnPool) {
    effects_.stops.push_back(order);
    return;
  }
  effects_.remote.stops.push_back(order);
  deadlines_.Cancel(&attempt.force_timer);
  attempt.force_timer = deadlines_.Set(force, Deadlines::StopDeadline{order.token});
}

void Engine::State::Attend(ActiveBatch& active, uint32_t shard) {
  active.attention.insert(shard);
  ListForAttention(active);
}

void Engine::State::ListForAttention(ActiveBatch& active) {
  // Until it is stored its shards cannot be loaded; then Open lists it.
  if (active.attention_listed || !active.open) return;
  active.attention_listed = true;
  attention_.push_back(&active);
}

// A bounded number of jobs a Step, batch by batch in turn.
void Engine::State::AttendAll() {
  int32_t budget = kSweptJobsPerStepMax;
  no_room_ = false;
  for (size_t i = attention_.size(); i > 0 && budget > 0 && !no_room_; --i) {
    ActiveBatch& active = *attention_.front();
    attention_.pop_front();
    active.attention_listed = false;
    budget -= AttendBatch(active, budget);
  }
  // A shard that arrives brings the next Step.
  attention_stalled_ = no_room_;
}

int32_t Engine::State::AttendBatch(ActiveBatch& active, int32_t budget) {
  int32_t ended = 0;
  int32_t loading = 0;
  for (auto it = active.attention.begin(); it != active.attention.end();) {
    const uint32_t shard = *it;
    if (ended >= budget) {
      ListForAttention(active);
      break;
    }
    if (Loaded(active, shard, kAttentionLoadsMax) == nullptr) {
      if (no_room_) {
        ListForAttention(active);
        break;
      }
      // Looked at when it is there.
      if (++loading >= kAttentionLoadsMax) break;
      ++it;
      continue;
    }
    it = active.attention.erase(it);
    ended += AttendShard(active, shard);
    // Ending a job may have cancelled the batch, and with it put every shard on the list.
    it = active.attention.upper_bound(shard);
    ReleaseIfIdle(active, shard);
  }
  FinishIfDone(active);
  if (!active.batch.finished()) Settle(active);
  return std::max(ended, 1);
}

int32_t Engine::State::AttendShard(ActiveBatch& active, uint32_t shard) {
  const Shard& stored = active.batch.shards()[shard];
  base::SteadyTime next = base::SteadyTime::max();
  int32_t ended = 0;
  for (int32_t i = stored.first_index; i < stored.first_index + stored.count; ++i) {
    const v1::JobState state = active.batch.Job(i).state;
    if (state == v1::JOB_STATE_RUNNING && active.lost.erase(i) > 0) {
      EndLost(active, shard, i);
      ++ended;
      continue;
    }
    if (state == v1::JOB_STATE_RUNNING && active.claimed.contains(i)) {
      Adopt(active, shard, i);
      ++ended;
      continue;
    }
    if (!Waits(state)) continue;
    if (const v1::Error* cancel = active.batch.CancelOf(i)) {
      // A copy: ending the job drops what was asked of it.
      CancelWaiting(active, shard, i, v1::Error(*cancel), /*own_deadline=*/false);
      ++ended;
    } else if (EndIfDue(active, shard, i, &next)) {
      ++ended;
    }
  }
  ShardRun& run = active.shards[shard];
  deadlines_.Cancel(&run.deadline);
  if (active.batch.unfinished_in_shard(shard) > 0) {
    run.deadline = deadlines_.Set(next, Deadlines::ShardDeadline{&active, shard});
  }
  return ended;
}

bool Engine::State::EndIfDue(ActiveBatch& active, uint32_t shard, int32_t index,
                             base::SteadyTime* next) {
  const EffectiveOptions options = OptionsOf(active, JobOf(active, shard, index));
  const bool started = active.batch.Job(index).started;
  const base::SteadyTime total = Later(active.accepted_at, options.total_bound());
  const base::SteadyTime start =
      started ? base::SteadyTime::max() : Later(active.accepted_at, options.start_bound());
  if (std::min(total, start) > now_.steady) {
    *next = std::min({*next, total, start});
    return false;
  }
  const v1::Error error = start <= total ? DeadlineError(v1::REASON_START_TIMEOUT,
                                                         "did not start before its start_timeout")
                                         : TotalTimeoutError();
  CancelWaiting(active, shard, index, error, /*own_deadline=*/true);
  return true;
}

void Engine::State::Fire(const Deadlines::BatchDeadline& deadline) {
  ActiveBatch& active = *deadline.batch;
  active.deadline = {};
  const v1::Reason reason = active.batch.header().deadline_reason;
  CancelBatch(active, DeadlineError(reason, reason == v1::REASON_CALL_DEADLINE
                                                ? "the deadline of the call passed"
                                                : "the timeout of the batch passed"));
}

void Engine::State::Fire(const Deadlines::ShardDeadline& deadline) {
  deadline.batch->shards[deadline.shard].deadline = {};
  Attend(*deadline.batch, deadline.shard);
}

void Engine::State::Fire(const Deadlines::ShardDelay& delay) {
  ShardRun& run = delay.batch->shards[delay.shard];
  run.delay = {};
  run.delayed = false;
  delay.batch->fresh_shards.insert(delay.shard);
  Settle(*delay.batch);
}

void Engine::State::Fire(const Deadlines::AttemptDeadline& deadline) {
  RunningAttempt& attempt = *running_.Find(deadline.token);
  attempt.timer = {};
  ActiveBatch& active = *attempt.batch;
  const EffectiveOptions options = OptionsOf(active, JobOf(active, attempt.shard, attempt.index));
  StopCause cause;
  if (attempt.timer_reason == v1::REASON_ATTEMPT_TIMEOUT) {
    cause.error = DeadlineError(v1::REASON_ATTEMPT_TIMEOUT, "the attempt's timeout passed");
    SetAttemptTimer(attempt, deadline.token, options);
  } else {
    cause.error = TotalTimeoutError();
    cause.own_deadline = true;
  }
  StopAttempt(deadline.token.slot, cause, options.grace);
}

void Engine::State::Handle(DisconnectWatch& watch) {
  ActiveBatch* active = FindActive(watch.batch_id);
  if (active == nullptr || active->batch.finished()) return;
  active->watchers += watch.change;
  deadlines_.Cancel(&active->disconnect);
  if (active->watchers == 0) {
    active->disconnect =
        deadlines_.Set(now_.steady + kDisconnectGrace, Deadlines::DisconnectDeadline{active});
  }
}

void Engine::State::Fire(const Deadlines::DisconnectDeadline& deadline) {
  deadline.batch->disconnect = {};
  CancelBatch(*deadline.batch,
              CancelError(v1::REASON_CLIENT_DISCONNECTED, "the last reader went away"));
}

}  // namespace jobrunner::engine
