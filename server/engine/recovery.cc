// What an earlier server left unfinished goes on.

#include <algorithm>
#include <utility>

#include "engine/engine_state.h"
#include "engine/proto_time.h"
#include "engine/stop_errors.h"
#include "google/rpc/code.pb.h"

namespace jobrunner::engine {

std::vector<Publish> Engine::State::Restore(base::Now now,
                                            std::vector<std::unique_ptr<Batch>> unfinished) {
  now_ = now;
  journal_.Begin(now, EventListener::Interest::kNothing);
  std::vector<Publish> logs;
  logs.reserve(unfinished.size());
  for (std::unique_ptr<Batch>& batch : unfinished) {
    logs.push_back(
        {batch->header_ptr(), batch->last_sequence(), /*opened=*/true, /*finished=*/false});
    TakeOver(std::move(*batch));
  }
  if (has_unclaimed_) AwaitClaims();
  return logs;
}

void Engine::State::TakeOver(Batch batch) {
  auto owned = std::make_unique<ActiveBatch>(std::move(batch));
  ActiveBatch& active = *owned;
  const BatchHeader& header = active.batch.header();
  // A wall clock that was set back gives no job more time than it had at the last record.
  const base::WallTime seen = std::max(now_.wall, active.batch.last_time());
  active.accepted_at = now_.steady - (seen - header.create_time);
  Enlist(active, QueueNamed(header.spec.queue()));
  batches_.emplace(header.id, std::move(owned));
  active.open = true;
  for (uint32_t i = 0; i < active.shards.size(); ++i) TakeOverShard(active, i, seen);
  for (const auto& [index, error] : active.batch.cancelled_jobs()) {
    active.attention.insert(static_cast<uint32_t>(active.batch.ShardOf(index)));
  }
  // The call that it lived for has ended.
  if (header.bound_to_call) CancelBatch(active, ShutdownError());
  if (!active.attention.empty()) ListForAttention(active);
  SettleLane(*active.queue);
  Settle(active);
}

// `seen` is the wall time that all durations of the batch are counted to.
void Engine::State::TakeOverShard(ActiveBatch& active, uint32_t shard, base::WallTime seen) {
  const Batch& batch = active.batch;
  if (batch.unfinished_in_shard(shard) == 0) return;
  bool queued = !batch.touched(shard);
  const int32_t first = batch.shards()[shard].first_index;
  const int32_t end = batch.touched(shard) ? first + batch.shards()[shard].count : first;
  for (int32_t i = first; i < end; ++i) {
    switch (batch.Job(i).state) {
      case v1::JOB_STATE_RUNNING:
        if (batch.RemoteOf(i) && !batch.header().bound_to_call) {
          active.unclaimed.insert(i);
          has_unclaimed_ = true;
        } else {
          active.lost.insert(i);
        }
        ++active.queue->running;
        break;
      case v1::JOB_STATE_RETRYING: {
        const auto left = std::max(batch.WaitingOf(i)->until - seen, std::chrono::nanoseconds(0));
        retries_.Add(&active, i, Later(now_.steady, left));
        ++active.queue->retrying;
        break;
      }
      case v1::JOB_STATE_QUEUED:
        queued = true;
        break;
      default:
        // It has ended.
        break;
    }
  }
  SetShardDeadline(active, shard);
  if (queued) {
    // From its first job on, whether that was looked at before or not: the turn passes over those
    // that are not QUEUED, and asks each for its delay.
    active.fresh_shards.insert(shard);
    SetShardDelay(active, shard);
  }
  const bool lost = active.lost.lower_bound(first) != active.lost.end();
  if (lost || batch.cancelled_by()) active.attention.insert(shard);
}

// The attempt ran when its server ended, and nobody knows how far it came.
void Engine::State::EndLost(ActiveBatch& active, uint32_t shard, int32_t index) {
  --active.queue->running;
  SettleLane(*active.queue);
  RunningAttempt attempt;
  attempt.batch = &active;
  attempt.index = index;
  attempt.shard = shard;
  attempt.attempt = active.batch.Job(index).attempts;
  const EffectiveOptions options = OptionsOf(active, JobOf(active, shard, index));
  if (const v1::Error* cancel = active.batch.CancelOf(index)) {
    attempt.stop = {.error = *cancel};
  } else if (Later(active.accepted_at, options.total_bound()) <= now_.steady) {
    attempt.stop = {.error = TotalTimeoutError(), .own_deadline = true};
  }
  Outcome outcome;
  outcome.failure = std::make_unique<Failure>();
  outcome.failure->code = google::rpc::UNAVAILABLE;
  outcome.failure->reason = v1::REASON_WORKER_LOST;
  outcome.failure->message =
      active.batch.RemoteOf(index)
          ? "its worker did not come back to the server, which had been started again"
          : "the server ended while the attempt ran";
  Decide(active, attempt, outcome);
}

// Of a batch whose queue the configuration no longer names: without limits of its own.
QueueState& Engine::State::QueueNamed(const std::string& name) {
  if (!queues_.contains(name)) {
    QueueSettings settings;
    settings.name = name;
    AddQueue(std::move(settings));
    queues_.at(name)->listed = false;
  }
  return *queues_.at(name);
}

}  // namespace jobrunner::engine
