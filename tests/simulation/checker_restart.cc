// What a checker knows after the server died: what the records say that are left.

#include <algorithm>

#include "engine/proto_time.h"
#include "simulation/batch_checker.h"

namespace jobrunner::simulation {

using engine::JobTransition;

void BatchChecker::Restarted(const base::Now& now, const History& history) {
  fold_ = engine::Batch(std::get<engine::Accepted>(*history.front().second));
  jobs_.assign(jobs_.size(), JobModel());
  running_ = 0;
  last_sequence_ = 0;
  failed_for_good_ = false;
  critical_ = false;
  ended_.clear();
  batch_cancel_.reset();
  job_cancels_.clear();
  finished_at_.reset();
  base::WallTime last_record = fold_.header().create_time;
  for (const auto& [time, record] : history) {
    now_ = time;
    last_record = std::max(last_record, time.wall);
    Recall(*record);
    fold_.Apply(*record);
  }
  Reckon(now, last_record);
}

void BatchChecker::Recall(const engine::Record& record) {
  if (const auto* cancel = std::get_if<engine::CancelRequested>(&record)) {
    if (cancel->indexes.empty()) batch_cancel_ = cancel->error;
    for (const int32_t index : cancel->indexes) job_cancels_.try_emplace(index, cancel->error);
    return;
  }
  const auto* changed = std::get_if<engine::Changed>(&record);
  if (changed == nullptr) return;
  for (const engine::JobChange& change : changed->changes) Recall(change, *changed);
  if (changed->segment != nullptr) last_sequence_ = changed->segment->last_sequence();
  if (changed->finish) finished_at_ = now_.steady;
}

void BatchChecker::Recall(const engine::JobChange& change, const engine::Changed& changed) {
  JobModel& job = jobs_[static_cast<size_t>(change.index)];
  switch (change.transition) {
    case JobTransition::kStart:
      ++job.attempts;
      ++running_;
      job.started = true;
      job.remote = change.remote_number != 0;
      job.state = v1::JOB_STATE_RUNNING;
      return;
    case JobTransition::kSucceed:
      return End(job, v1::JOB_STATE_SUCCEEDED);
    case JobTransition::kFailForGood:
      failed_for_good_ = true;
      critical_ |= changed.segment->EventAt(change.result_sequence).result().error().critical();
      return End(job, v1::JOB_STATE_FAILED);
    case JobTransition::kCancel:
      failed_for_good_ |= change.own_deadline;
      return End(job, v1::JOB_STATE_CANCELLED);
    case JobTransition::kRetryAt:
      job.lost += change.lost ? 1 : 0;
      job.retry_at = change.not_before;
      job.state = v1::JOB_STATE_RETRYING;
      --running_;
      return;
    case JobTransition::kRequeue:
      job.state = v1::JOB_STATE_QUEUED;
      return;
    case JobTransition::kPutBack:
      --job.attempts;
      --running_;
      job.state = v1::JOB_STATE_QUEUED;
      return;
  }
}

// Times go on from what was left, by the wall clock, but by no more than was left at the last
// record.
void BatchChecker::Reckon(const base::Now& now, base::WallTime last_record) {
  const base::WallTime seen = std::max(now.wall, last_record);
  const auto moved = now.steady - (seen - fold_.header().create_time) - accepted_at_;
  accepted_at_ += moved;
  if (ends_at_ != base::SteadyTime::max()) ends_at_ += moved;
  base::SteadyTime& call = interventions.call_deadline;
  if (call != base::SteadyTime::max()) call += moved;
  for (JobModel& job : jobs_) {
    if (job.state == v1::JOB_STATE_RETRYING) {
      job.not_before = now.steady + std::max(job.retry_at - seen, std::chrono::nanoseconds(0));
    } else if (job.state == v1::JOB_STATE_RUNNING) {
      job.server_lost = true;
      job.told = ToldOutcome();
      job.told->attempt = job.attempts;
      job.told->failure.reason = v1::REASON_WORKER_LOST;
      job.told->failure.code = 14;
    }
  }
  now_ = now;
  restarted_at_ = now.steady;
  interventions.draining = false;
  interventions.server_ended = fold_.header().bound_to_call;
  // A cancel that was asked for and is not among the records was lost with the server.
  interventions.cancelled = batch_cancel_ && batch_cancel_->reason() == v1::REASON_CLIENT_CANCEL;
  interventions.jobs_cancelled.clear();
  for (const auto& [index, error] : job_cancels_) interventions.jobs_cancelled.insert(index);
}

}  // namespace jobrunner::simulation
