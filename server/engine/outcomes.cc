// An attempt ended: the job's transitions.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "engine/engine_state.h"
#include "engine/proto_time.h"
#include "engine/retry_policy.h"
#include "google/rpc/code.pb.h"

namespace jobrunner::engine {
namespace {

v1::Error ErrorOf(const Failure& failure) {
  v1::Error error;
  error.set_code(failure.code);
  error.set_message(base::ValidUtf8(failure.message, kErrorMessageBytesMax));
  error.set_reason(failure.reason);
  error.set_critical(failure.critical);
  return error;
}

Failure FailureOf(const v1::Error& error) {
  Failure failure;
  failure.code = error.code();
  failure.message = error.message();
  failure.reason = error.reason();
  return failure;
}

void FillResult(const RunningAttempt& attempt, Outcome& outcome, v1::JobResult* result) {
  result->set_attempts(attempt.attempt);
  *result->mutable_run_time() = ToDuration(outcome.run_time);
  result->set_output_bytes(static_cast<int64_t>(outcome.output.size()));
  if (const CommandOutcome* command = outcome.command.get()) {
    result->set_error_output(command->error_output);
    result->set_exit_code(command->exit_code);
    result->set_signal(command->signal);
    result->set_output_bytes(command->output_bytes);
    result->set_error_output_bytes(command->error_output_bytes);
    result->set_output_omitted(command->output_omitted);
    result->set_error_output_omitted(command->error_output_omitted);
    result->set_output_truncated(command->output_omitted > 0 || command->error_output_omitted > 0);
    v1::ResourceUsage& usage = *result->mutable_usage();
    *usage.mutable_user_time() = ToDuration(command->user_time);
    *usage.mutable_system_time() = ToDuration(command->system_time);
    usage.set_max_resident_bytes(command->max_resident_bytes);
  }
  if (HttpOutcome* http = outcome.http.get()) {
    result->set_output_truncated(http->output_truncated);
    *result->mutable_http() = std::move(http->response);
  }
  result->set_output(outcome.output);
}

void FillAttemptError(const RunningAttempt& attempt, Outcome& outcome, v1::AttemptError* error) {
  error->set_attempt(attempt.attempt);
  *error->mutable_run_time() = ToDuration(outcome.run_time);
  error->set_output(outcome.output);
  if (const CommandOutcome* command = outcome.command.get()) {
    error->set_exit_code(command->exit_code);
    error->set_signal(command->signal);
    error->set_error_output(command->error_output);
  }
  if (outcome.http != nullptr) error->set_http_status(outcome.http->response.status());
}

// An event must fit its bounds, whatever a handler returns.
void BoundOutput(Outcome& outcome) {
  if (static_cast<int64_t>(outcome.output.size()) <= kOutputBytesMax) return;
  if (outcome.failure != nullptr) {
    outcome.output.clear();
    return;
  }
  auto failure = std::make_unique<Failure>();
  failure->code = google::rpc::RESOURCE_EXHAUSTED;
  failure->message =
      absl::StrCat("the result has ", outcome.output.size(), " bytes, more than ", kOutputBytesMax);
  failure->final = true;
  outcome.failure = std::move(failure);
  outcome.output.clear();
}

}  // namespace

void Engine::State::Handle(std::vector<Outcome>& outcomes) {
  for (Outcome& outcome : outcomes) Handle(outcome);
}

void Engine::State::Handle(Outcome& outcome) {
  RunningAttempt* found = running_.Find(outcome.token);
  if (found == nullptr || found->at != outcome.at) {
    // Of an attempt that was given up.
    ++outcomes_refused_;
    if (outcome.at != kOwnPool) RefuseOutcome(outcome);
    return;
  }
  if (outcome.at != kOwnPool) journal_.AcknowledgeWhenStored({outcome.at, outcome.token});
  End(outcome);
}

void Engine::State::End(Outcome& outcome) {
  RunningAttempt attempt = std::move(running_.at(outcome.token.slot));
  ActiveBatch& active = *attempt.batch;
  LeaveRunning(active, outcome.token.slot);
  if (outcome.abandoned) lost_slots_.insert(outcome.token.number);
  active.queue->counts.attempt_time.Add(outcome.run_time);
  BoundOutput(outcome);
  Decide(active, attempt, outcome);
  ReleaseIfIdle(active, attempt.shard);
  FinishIfDone(active);
  if (!active.batch.finished()) Settle(active);
}

void Engine::State::Handle(engine::SlotReturned& returned) {
  lost_slots_.erase(returned.token.number);
}

void Engine::State::LeaveRunning(ActiveBatch& active, uint32_t slot) {
  RunningAttempt& attempt = running_.at(slot);
  deadlines_.Cancel(&attempt.timer);
  deadlines_.Cancel(&attempt.force_timer);
  Detach(attempt);
  std::vector<uint32_t>& slots = active.running_slots;
  const uint32_t place = attempt.place_in_batch;
  slots[place] = slots.back();
  running_.at(slots[place]).place_in_batch = place;
  slots.pop_back();
  --active.shards[attempt.shard].running;
  QueueState& queue = *active.queue;
  const bool was_full = queue.full();
  --queue.running;
  if (was_full) SettleLane(queue);
  running_.Remove(slot);
}

// The one place that says what the end of an attempt means.
void Engine::State::Decide(ActiveBatch& active, const RunningAttempt& attempt, Outcome& outcome) {
  const std::optional<StopCause>& stop = attempt.stop;
  if (stop && stop->put_back) {
    // A drain took it back, whatever it did in the end, unless it was done; or it never began.
    if (outcome.failure == nullptr) {
      Succeed(active, attempt, outcome);
    } else {
      PutBack(active, attempt);
    }
  } else if (stop && stop->ends_job()) {
    // Asked to stop for good: it ends so, also if it then exits with 0.
    CancelRunning(active, attempt, outcome, *stop);
  } else if (stop) {
    // Its own timeout, the attempt's.
    Fail(active, attempt, outcome, FailureOf(stop->error));
  } else if (outcome.failure == nullptr) {
    Succeed(active, attempt, outcome);
  } else {
    Fail(active, attempt, outcome, *outcome.failure);
  }
}

// Of an attempt that was lost with its server nobody knows the worker.
std::string Engine::State::WorkerOf(const RunningAttempt& attempt, const Outcome& outcome) {
  if (attempt.at == kOwnPool) {
    return outcome.worker > 0 ? absl::StrCat("worker ", outcome.worker) : "";
  }
  const RemoteWorker* worker = fleet_.Find(attempt.at);
  return worker == nullptr ? "" : worker->name;
}

v1::JobResult& Engine::State::NewResult(v1::JobState state) {
  // Not Clear() of the event, which would give the result's memory back.
  v1::JobResult& result = *result_event_.mutable_result();
  result.Clear();
  result.set_state(state);
  return result;
}

void Engine::State::Succeed(ActiveBatch& active, const RunningAttempt& attempt, Outcome& outcome) {
  v1::JobResult& result = NewResult(v1::JOB_STATE_SUCCEEDED);
  FillResult(attempt, outcome, &result);
  result.set_worker(WorkerOf(attempt, outcome));
  journal_.Change(active, {.index = attempt.index, .transition = JobTransition::kSucceed},
                  JobOf(active, attempt.shard, attempt.index).key(), &result_event_);
  CountEnd(active, v1::JOB_STATE_SUCCEEDED, v1::REASON_UNSPECIFIED);
}

void Engine::State::Fail(ActiveBatch& active, const RunningAttempt& attempt, Outcome& outcome,
                         const Failure& failure) {
  const EffectiveOptions options = OptionsOf(active, JobOf(active, attempt.shard, attempt.index));
  const JobFold job = active.batch.Job(attempt.index);
  if (failure.reason == v1::REASON_WORKER_LOST) {
    // Not the job's fault: counted apart, and run again at once.
    if (job.lost_attempts < options.max_lost_attempts) {
      RetryAt(active, attempt, outcome, failure, std::chrono::nanoseconds(0), /*lost=*/true);
    } else {
      FailForGood(active, attempt, outcome, failure, /*lost=*/true);
    }
    return;
  }
  const int32_t counted = attempt.attempt - job.lost_attempts;
  const int32_t exit_code = outcome.command == nullptr ? 0 : outcome.command->exit_code;
  const bool may_retry = MayRetry(options.retry_policy, counted, failure, exit_code) &&
                         active.batch.CancelOf(attempt.index) == nullptr;
  if (may_retry) {
    const auto backoff = Backoff(*options.retry_policy, counted, prng_);
    RetryAt(active, attempt, outcome, failure, std::max(backoff, failure.retry_after),
            /*lost=*/false);
  } else {
    FailForGood(active, attempt, outcome, failure, /*lost=*/false);
  }
}

void Engine::State::FailForGood(ActiveBatch& active, const RunningAttempt& attempt,
                                Outcome& outcome, const Failure& failure, bool lost) {
  v1::JobResult& result = NewResult(v1::JOB_STATE_FAILED);
  FillResult(attempt, outcome, &result);
  result.set_worker(WorkerOf(attempt, outcome));
  *result.mutable_error() = ErrorOf(failure);
  journal_.Change(active,
                  {.index = attempt.index, .transition = JobTransition::kFailForGood, .lost = lost},
                  JobOf(active, attempt.shard, attempt.index).key(), &result_event_);
  CountEnd(active, v1::JOB_STATE_FAILED, failure.reason);
  AfterFailureForGood(active, failure.critical);
}

void Engine::State::RetryAt(ActiveBatch& active, const RunningAttempt& attempt, Outcome& outcome,
                            const Failure& failure, std::chrono::nanoseconds wait, bool lost) {
  v1::Event event;
  v1::AttemptError& error = *event.mutable_attempt_error();
  FillAttemptError(attempt, outcome, &error);
  error.set_worker(WorkerOf(attempt, outcome));
  *error.mutable_error() = ErrorOf(failure);
  error.set_will_retry(true);
  const base::WallTime not_before = Later(now_.wall, wait);
  *error.mutable_next_attempt_time() = ToTimestamp(not_before);
  journal_.Change(active,
                  {.index = attempt.index,
                   .transition = JobTransition::kRetryAt,
                   .lost = lost,
                   .not_before = not_before},
                  JobOf(active, attempt.shard, attempt.index).key(), &event);
  retries_.Add(&active, attempt.index, Later(now_.steady, wait));
  ++active.queue->retrying;
  ++active.queue->counts.attempts_retried;
  // While it waits, its total_timeout is its shard's to watch.
  Attend(active, attempt.shard);
}

void Engine::State::CancelRunning(ActiveBatch& active, const RunningAttempt& attempt,
                                  Outcome& outcome, const StopCause& cause) {
  v1::JobResult& result = NewResult(v1::JOB_STATE_CANCELLED);
  FillResult(attempt, outcome, &result);
  result.set_worker(WorkerOf(attempt, outcome));
  *result.mutable_error() = cause.error;
  journal_.Change(active,
                  {.index = attempt.index,
                   .transition = JobTransition::kCancel,
                   .own_deadline = cause.own_deadline},
                  JobOf(active, attempt.shard, attempt.index).key(), &result_event_);
  CountEnd(active, v1::JOB_STATE_CANCELLED, cause.error.reason());
  if (cause.own_deadline) AfterFailureForGood(active, /*critical=*/false);
}

void Engine::State::CancelWaiting(ActiveBatch& active, uint32_t shard, int32_t index,
                                  const v1::Error& error, bool own_deadline) {
  const JobFold job = active.batch.Job(index);
  retries_.Remove(&active, index);
  if (job.state == v1::JOB_STATE_RETRYING) --active.queue->retrying;
  v1::JobResult& result = NewResult(v1::JOB_STATE_CANCELLED);
  result.set_attempts(job.attempts);
  *result.mutable_error() = error;
  journal_.Change(
      active, {.index = index, .transition = JobTransition::kCancel, .own_deadline = own_deadline},
      JobOf(active, shard, index).key(), &result_event_);
  CountEnd(active, v1::JOB_STATE_CANCELLED, error.reason());
  if (own_deadline) AfterFailureForGood(active, /*critical=*/false);
}

void Engine::State::PutBack(ActiveBatch& active, const RunningAttempt& attempt) {
  journal_.Change(active, {.index = attempt.index, .transition = JobTransition::kPutBack});
  active.again.emplace_front(attempt.index, now_.steady);
  // While it waits, its total_timeout is its shard's to watch.
  Attend(active, attempt.shard);
}

void Engine::State::CountEnd(ActiveBatch& active, v1::JobState state, v1::Reason reason) {
  QueueState& queue = *active.queue;
  --queue.unfinished;
  --unfinished_;
  if (state == v1::JOB_STATE_SUCCEEDED) {
    ++queue.counts.succeeded;
  } else if (state == v1::JOB_STATE_FAILED) {
    ++queue.counts.failed;
  } else {
    ++queue.counts.cancelled;
    ++cancels_[reason];
  }
}

void Engine::State::AfterFailureForGood(ActiveBatch& active, bool critical) {
  const bool by_policy =
      active.batch.header().spec.failure_policy() == v1::FAILURE_POLICY_CANCEL_BATCH;
  if (!critical && !by_policy) return;
  v1::Error error;
  error.set_code(google::rpc::CANCELLED);
  error.set_reason(critical ? v1::REASON_CRITICAL_ERROR : v1::REASON_FAILURE_POLICY);
  error.set_message(critical ? "another job of the batch had a critical error"
                             : "another job of the batch failed");
  CancelBatch(active, std::move(error));
}

void Engine::State::Handle(OutputChunk& chunk) {
  RunningAttempt* attempt = running_.Find(chunk.token);
  if (attempt == nullptr) return;
  ActiveBatch& active = *attempt->batch;
  const v1::Job& job = JobOf(active, attempt->shard, attempt->index);
  if (attempt->at != kOwnPool) {
    // A worker that has come back may not know what the job asks for.
    if (!OptionsOf(active, job).stream_output || !attempt->streamed.Admit(&chunk)) return;
  }
  v1::Event event;
  v1::Output& output = *event.mutable_output();
  output.set_attempt(attempt->attempt);
  output.set_output(std::move(chunk.output));
  output.set_error_output(std::move(chunk.error_output));
  output.set_truncated(chunk.truncated);
  journal_.Tell(active, attempt->index, job.key(), &event);
}

void Engine::State::Handle(ProgressReport& report) {
  const RunningAttempt* attempt = running_.Find(report.token);
  if (attempt == nullptr) return;
  ActiveBatch& active = *attempt->batch;
  v1::Event event;
  v1::Progress& progress = *event.mutable_progress();
  progress.set_attempt(attempt->attempt);
  progress.set_fraction(std::clamp(report.fraction, 0.0, 1.0));
  progress.set_message(base::ValidUtf8(report.message, kErrorMessageBytesMax));
  journal_.Tell(active, attempt->index, JobOf(active, attempt->shard, attempt->index).key(),
                &event);
}

}  // namespace jobrunner::engine
