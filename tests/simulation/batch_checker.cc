#include "simulation/batch_checker.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/proto_time.h"

namespace jobrunner::simulation {
namespace {

using engine::JobChange;
using engine::JobTransition;
using engine::Later;

bool Has(const google::protobuf::RepeatedField<int32_t>& list, int32_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool IsDeadline(v1::Reason reason) {
  return reason == v1::REASON_START_TIMEOUT || reason == v1::REASON_TOTAL_TIMEOUT ||
         reason == v1::REASON_BATCH_TIMEOUT || reason == v1::REASON_CALL_DEADLINE;
}

bool EndsForGood(v1::Reason reason) {
  return reason == v1::REASON_START_TIMEOUT || reason == v1::REASON_TOTAL_TIMEOUT;
}

}  // namespace

BatchChecker::BatchChecker(const engine::Accepted& accepted, v1::BatchSpec spec,
                           const v1::JobOptions& queue_defaults, base::SteadyTime now,
                           std::chrono::nanoseconds lateness, Verdict* verdict)
    : verdict_(verdict),
      spec_(std::move(spec)),
      queue_defaults_(queue_defaults),
      accepted_at_(now),
      lateness_(lateness),
      jobs_(static_cast<size_t>(spec_.jobs_size())),
      fold_(accepted) {
  if (spec_.has_timeout()) ends_at_ = Later(now, engine::FromDuration(spec_.timeout()));
  Hold(accepted.header->job_count == spec_.jobs_size(), "all jobs are accepted");
}

engine::EffectiveOptions BatchChecker::OptionsOf(int32_t index) const {
  const auto queue = engine::Overlay(engine::EffectiveOptions(), queue_defaults_);
  const auto batch = engine::Overlay(queue, spec_.job_defaults());
  return engine::Overlay(batch, spec_.jobs(index).options());
}

base::SteadyTime BatchChecker::StopTime(int32_t index, base::SteadyTime start) const {
  const engine::EffectiveOptions options = OptionsOf(index);
  return std::min({Later(start, options.timeout), Later(accepted_at_, options.total_timeout),
                   ends_at_, interventions.call_deadline});
}

bool BatchChecker::Hold(bool holds, std::string_view expected, int32_t index) {
  if (holds || verdict_->failed()) return holds;
  verdict_->Fail(absl::StrCat(fold_.id(), index < 0 ? "" : absl::StrCat(" job ", index), " at ",
                              (now_.steady - accepted_at_) / std::chrono::milliseconds(1),
                              " ms after its acceptance: it does not hold that ",
                              std::string(expected)));
  return holds;
}

void BatchChecker::Check(const base::Now& now, const engine::Record& record) {
  now_ = now;
  if (!Hold(!finished(), "nothing comes after BatchFinished")) return;
  if (const auto* cancel = std::get_if<engine::CancelRequested>(&record)) {
    CheckCancelRequested(*cancel);
  } else if (const auto* changed = std::get_if<engine::Changed>(&record)) {
    Hold(changed->time == now.wall, "a record has the time of its Step");
    Events events;
    if (changed->segment != nullptr) events = ReadEvents(*changed->segment);
    CheckChanges(*changed, events);
    Hold(changed->finish.has_value() == events.finished.has_value(),
         "the finish and BatchFinished stand in one record");
    if (changed->finish && events.finished) CheckFinish(*changed->finish, events);
  } else {
    Hold(false, "a batch is accepted once");
  }
  if (!verdict_->failed()) fold_.Apply(record);
}

BatchChecker::Events BatchChecker::ReadEvents(const engine::Segment& segment) {
  Events events;
  if (!Hold(segment.first_sequence() == last_sequence_ + 1, "sequences have no gap")) return events;
  for (int64_t i = segment.first_sequence(); i <= segment.last_sequence(); ++i) {
    v1::Event event = segment.EventAt(i);
    CheckEvent(event, i);
    if (event.has_result()) {
      events.results[i] = std::move(event);
    } else if (event.has_attempt_error()) {
      events.attempt_errors.emplace(event.job_index(), std::move(event));
    } else if (event.has_batch_finished()) {
      Hold(i == segment.last_sequence(), "BatchFinished is the last event");
      events.finished = event.batch_finished();
    } else {
      Hold(event.has_output() || event.has_progress(), "an event says something");
    }
  }
  last_sequence_ = segment.last_sequence();
  return events;
}

void BatchChecker::CheckEvent(const v1::Event& event, int64_t sequence) {
  Hold(event.sequence() == sequence, "an event has its sequence");
  Hold(event.time().seconds() == engine::ToTimestamp(now_.wall).seconds(),
       "an event has the time at which it happened");
  if (event.has_batch_finished()) return;
  const int32_t index = event.job_index();
  if (!Hold(index >= 0 && index < spec_.jobs_size(), "an event is of a job")) return;
  Hold(event.job_key() == spec_.jobs(index).key(), "an event has its job's key", index);
}

void BatchChecker::CheckChanges(const engine::Changed& changed, Events& events) {
  for (const JobChange& change : changed.changes) {
    if (verdict_->failed()) return;
    CheckChange(change, changed.time, events);
  }
  Hold(events.results.empty(), "each result comes with its job's end");
  Hold(events.attempt_errors.empty(), "each AttemptError comes with a retry");
}

void BatchChecker::CheckChange(const JobChange& change, base::WallTime time, Events& events) {
  if (!Hold(change.index >= 0 && change.index < spec_.jobs_size(), "a change is of a job")) return;
  JobModel& job = jobs_[change.index];
  switch (change.transition) {
    case JobTransition::kStart:
      return CheckStart(change, job);
    case JobTransition::kSucceed:
      return CheckSuccess(change, job, events);
    case JobTransition::kFailForGood:
      return CheckFailure(change, job, events);
    case JobTransition::kRetryAt:
      return CheckRetry(change, job, time, events);
    case JobTransition::kCancel:
      return CheckCancel(change, job, events);
    case JobTransition::kPutBack:
      return CheckPutBack(change.index, job);
    case JobTransition::kRequeue:
      Hold(job.state == v1::JOB_STATE_RETRYING, "a job that is queued again waited for a retry",
           change.index);
      Hold(now_.steady >= job.not_before, "a backoff passes before the retry", change.index);
      job.state = v1::JOB_STATE_QUEUED;
      return;
  }
}

void BatchChecker::CheckStart(const JobChange& change, JobModel& job) {
  const int32_t index = change.index;
  const engine::EffectiveOptions options = OptionsOf(index);
  Hold(job.state == v1::JOB_STATE_QUEUED, "what starts was queued", index);
  Hold(now_.steady >= job.not_before, "nothing starts before its backoff has passed", index);
  Hold(job.started || now_.steady >= accepted_at_ + options.delay,
       "nothing starts before its delay has passed", index);
  Hold(!CancelRecorded(index), "nothing starts after its cancel", index);
  Hold(!interventions.draining, "nothing starts in a drain", index);
  Hold(now_.steady < Later(accepted_at_, options.total_bound()),
       "nothing starts after its total_timeout", index);
  if (!job.started) {
    Hold(now_.steady < Later(accepted_at_, options.start_bound()),
         "nothing starts after its start_timeout", index);
  }
  ++job.attempts;
  const int32_t most = options.retry_policy == nullptr ? 1 : options.retry_policy->max_attempts();
  Hold(job.attempts <= most + job.lost, "attempts are at most max_attempts and those lost", index);
  ++running_;
  Hold(spec_.max_parallelism() == 0 || running_ <= spec_.max_parallelism(),
       "no more run than max_parallelism", index);
  job.state = v1::JOB_STATE_RUNNING;
  job.started_at = now_.steady;
  job.started = true;
  job.server_lost = false;
  job.remote = change.remote_number != 0;
  job.may_be_put_back = false;
  job.began = false;
  job.told.reset();
}

void BatchChecker::Claimed(int32_t index) {
  JobModel& job = jobs_[index];
  job.server_lost = false;
  job.began = true;
  // By the wall clock, which may have jumped.
  job.started_at = base::SteadyTime{};
  job.told.reset();
}

void BatchChecker::TellLost(int32_t index, bool stopped) {
  ToldOutcome told;
  told.attempt = jobs_[index].attempts;
  told.stop_asked = stopped;
  told.failure.reason = v1::REASON_WORKER_LOST;
  told.failure.code = 14;
  Told(index, std::move(told));
}

bool BatchChecker::NeverBegan(int32_t index, const JobModel& job) const {
  return interventions.durable && job.state == v1::JOB_STATE_RUNNING && !job.began &&
         !job.told.has_value() && job.lost >= OptionsOf(index).max_lost_attempts;
}

v1::JobResult BatchChecker::TakeResult(const JobChange& change, v1::JobState state,
                                       const JobModel& job, Events& events) {
  auto found = events.results.find(change.result_sequence);
  if (!Hold(found != events.results.end(), "an end comes with its result", change.index)) return {};
  v1::JobResult result = found->second.result();
  Hold(found->second.job_index() == change.index, "a result is of the job that ended",
       change.index);
  Hold(result.state() == state, "a result has the state in which its job ended", change.index);
  Hold(result.attempts() == job.attempts, "a result counts the attempts", change.index);
  Hold(result.has_error() == (state != v1::JOB_STATE_SUCCEEDED),
       "a result has an error unless it is a success", change.index);
  events.results.erase(found);
  return result;
}

void BatchChecker::End(JobModel& job, v1::JobState state) {
  if (job.state == v1::JOB_STATE_RUNNING) --running_;
  job.state = state;
  ++ended_[state];
}

void BatchChecker::CheckSuccess(const JobChange& change, JobModel& job, Events& events) {
  if (!Hold(job.state == v1::JOB_STATE_RUNNING && job.told.has_value(),
            "what succeeds ran, and said so", change.index)) {
    return;
  }
  Hold(job.told->succeeded && job.told->attempt == job.attempts,
       "it was this attempt that succeeded", change.index);
  Hold(!job.told->stop_asked || interventions.draining,
       "what was asked to stop does not succeed, except in a drain", change.index);
  TakeResult(change, v1::JOB_STATE_SUCCEEDED, job, events);
  End(job, v1::JOB_STATE_SUCCEEDED);
}

engine::Failure BatchChecker::FailureOf(int32_t index, const JobModel& job,
                                        const v1::Error& error) {
  if (error.reason() != v1::REASON_ATTEMPT_TIMEOUT) {
    const engine::Failure& failure = job.told->failure;
    Hold(!job.told->succeeded && error.reason() == failure.reason && error.code() == failure.code &&
             error.critical() == failure.critical,
         "an error is what the executor said", index);
    Hold(!job.told->stop_asked, "what was asked to stop ends by that", index);
    return failure;
  }
  // A worker that has claimed it and is not welcomed yet cannot be asked.
  const bool stopped = job.told->stop_asked || IsUnclaimed(index);
  Hold(stopped && now_.steady >= Later(job.started_at, OptionsOf(index).timeout),
       "an ATTEMPT_TIMEOUT has passed, and the attempt was asked to stop", index);
  engine::Failure failure;
  failure.code = 4;
  failure.reason = v1::REASON_ATTEMPT_TIMEOUT;
  Hold(error.code() == failure.code, "a deadline is DEADLINE_EXCEEDED", index);
  return failure;
}

bool BatchChecker::RetryAllowed(int32_t index, const JobModel& job,
                                const engine::Failure& failure) const {
  const engine::EffectiveOptions options = OptionsOf(index);
  if (failure.reason == v1::REASON_WORKER_LOST) return job.lost < options.max_lost_attempts;
  const v1::RetryPolicy* policy = options.retry_policy;
  if (policy == nullptr || failure.critical) return false;
  if (job.attempts - job.lost >= policy->max_attempts()) return false;
  const auto& codes = policy->retryable_codes();
  const auto& exits = policy->retryable_exit_codes();
  if (codes.empty() && exits.empty()) return !failure.final;
  const bool exited = failure.reason == v1::REASON_EXIT_CODE;
  return Has(codes, failure.code) || (exited && Has(exits, job.told->exit_code));
}

void BatchChecker::CheckFailure(const JobChange& change, JobModel& job, Events& events) {
  if (!Hold(job.state == v1::JOB_STATE_RUNNING && job.told.has_value(),
            "what fails ran, and said so", change.index)) {
    return;
  }
  const v1::JobResult result = TakeResult(change, v1::JOB_STATE_FAILED, job, events);
  const engine::Failure failure = FailureOf(change.index, job, result.error());
  Hold(!RetryAllowed(change.index, job, failure), "what may be retried is", change.index);
  failed_for_good_ = true;
  critical_ |= failure.critical;
  End(job, v1::JOB_STATE_FAILED);
}

void BatchChecker::CheckRetry(const JobChange& change, JobModel& job, base::WallTime time,
                              Events& events) {
  auto found = events.attempt_errors.find(change.index);
  if (!Hold(job.state == v1::JOB_STATE_RUNNING && job.told.has_value() &&
                found != events.attempt_errors.end(),
            "a retry follows a failure, which is told", change.index)) {
    return;
  }
  const v1::AttemptError error = found->second.attempt_error();
  events.attempt_errors.erase(found);
  const engine::Failure failure = FailureOf(change.index, job, error.error());
  Hold(RetryAllowed(change.index, job, failure), "only what may be retried is", change.index);
  Hold(error.attempt() == job.attempts && error.will_retry(),
       "an AttemptError has its attempt, and that it is retried", change.index);
  const auto wait = change.not_before - time;
  if (failure.reason == v1::REASON_WORKER_LOST) {
    Hold(wait.count() == 0 && change.lost, "a lost attempt runs again at once", change.index);
    ++job.lost;
  } else {
    const v1::RetryPolicy& policy = *OptionsOf(change.index).retry_policy;
    const double initial =
        policy.has_initial_backoff()
            ? static_cast<double>(engine::FromDuration(policy.initial_backoff()).count())
            : 1e9;
    const double most =
        policy.has_max_backoff()
            ? static_cast<double>(engine::FromDuration(policy.max_backoff()).count())
            : 300e9;
    const double multiplier = policy.has_backoff_multiplier() ? policy.backoff_multiplier() : 2;
    const double jitter = policy.has_jitter() ? policy.jitter() : 0.2;
    const double backoff =
        std::min(initial * std::pow(multiplier, job.attempts - job.lost - 1), most);
    const auto waited = static_cast<double>(wait.count());
    const auto least = static_cast<double>(failure.retry_after.count());
    Hold(waited >= std::max(least, backoff * (1 - jitter)) - 1 &&
             waited <= std::max(least, backoff * (1 + jitter)) + 1,
         "a backoff is what the policy says, but for its jitter and what the failure asks for",
         change.index);
  }
  job.not_before = now_.steady + wait;
  job.state = v1::JOB_STATE_RETRYING;
  --running_;
}

void BatchChecker::CheckLateness(int32_t index, const JobModel& job) {
  // What a drain put back is the next start's to look after.
  if (job.state == v1::JOB_STATE_RUNNING || interventions.draining) return;
  const engine::EffectiveOptions options = OptionsOf(index);
  auto due = std::min(Later(accepted_at_, options.total_bound()), ends_at_);
  if (!job.started) due = std::min(due, Later(accepted_at_, options.start_bound()));
  // What passed while no server ran is looked after by the next.
  due = std::max(due, restarted_at_);
  const bool late = due != base::SteadyTime::max() && now_.steady > due + lateness_;
  if (!late) return;
  Hold(false,
       absl::StrCat("a waiting job is ended when its deadline has passed, here ",
                    (due - accepted_at_) / std::chrono::milliseconds(1), " ms after acceptance; ",
                    job.attempts, " attempts"),
       index);
}

void BatchChecker::CheckOwnDeadline(int32_t index, const JobModel& job, v1::Reason reason) {
  const engine::EffectiveOptions options = OptionsOf(index);
  failed_for_good_ = true;
  if (reason == v1::REASON_START_TIMEOUT) {
    Hold(!job.started && now_.steady >= Later(accepted_at_, options.start_bound()),
         "a START_TIMEOUT has passed before any start", index);
  } else {
    Hold(now_.steady >= Later(accepted_at_, options.total_bound()), "a TOTAL_TIMEOUT has passed",
         index);
  }
}

void BatchChecker::CheckCancel(const JobChange& change, JobModel& job, Events& events) {
  const int32_t index = change.index;
  const bool waited = job.state == v1::JOB_STATE_QUEUED || job.state == v1::JOB_STATE_RETRYING;
  const bool ran = job.state == v1::JOB_STATE_RUNNING && job.told.has_value();
  if (!Hold(waited || ran || NeverBegan(index, job),
            "what is cancelled waited, or ran and has ended", index)) {
    return;
  }
  Hold(!ran || job.told->stop_asked || job.server_lost, "what ran was asked to stop", index);
  const v1::Error error = TakeResult(change, v1::JOB_STATE_CANCELLED, job, events).error();
  Hold(error.code() == (IsDeadline(error.reason()) ? 4 : 1),
       "a deadline is DEADLINE_EXCEEDED, any other cancel CANCELLED", index);
  Hold(change.own_deadline == EndsForGood(error.reason()),
       "a job's own deadline counts as failed for good", index);
  CheckLateness(index, job);
  if (EndsForGood(error.reason())) {
    CheckOwnDeadline(index, job, error.reason());
  } else {
    auto asked = job_cancels_.find(index);
    const bool by_job = asked != job_cancels_.end() && asked->second.reason() == error.reason();
    const bool by_batch = batch_cancel_ && batch_cancel_->reason() == error.reason();
    Hold(by_job || by_batch, "a cancelled job has the reason of a recorded cancel", index);
    // Of what waits, the first cancel is the reason.
    if (waited && asked != job_cancels_.end()) Hold(by_job, "the first cancel counts", index);
  }
  End(job, v1::JOB_STATE_CANCELLED);
}

void BatchChecker::CheckPutBack(int32_t index, JobModel& job) {
  const bool ended =
      job.state == v1::JOB_STATE_RUNNING && job.told.has_value() && job.told->stop_asked;
  // Of one that waits for its start to be stored it is not known at which worker.
  const bool left = job.may_be_put_back || (job.remote && NeverBegan(index, job));
  Hold(ended || left || NeverBegan(index, job), "what is put back ran, was stopped and has ended",
       index);
  Hold(left || (interventions.draining && interventions.durable),
       "only a drain of a durable store puts back, or a worker that leaves", index);
  --job.attempts;
  --running_;
  job.state = v1::JOB_STATE_QUEUED;
}

void BatchChecker::CheckReason(v1::Reason reason, int32_t code, int32_t index) {
  Hold(code == (IsDeadline(reason) ? 4 : 1), "a recorded cancel has the code of its reason");
  switch (reason) {
    case v1::REASON_CLIENT_CANCEL:
      Hold(index < 0 ? interventions.cancelled : interventions.jobs_cancelled.contains(index),
           "a client cancelled it", index);
      return;
    case v1::REASON_BATCH_TIMEOUT:
      Hold(now_.steady >= ends_at_, "the batch's timeout has passed");
      return;
    case v1::REASON_CALL_DEADLINE:
      Hold(now_.steady >= interventions.call_deadline, "the call's deadline has passed");
      return;
    case v1::REASON_CLIENT_DISCONNECTED:
      Hold(interventions.readers_went, "its last reader went away");
      return;
    case v1::REASON_FAILURE_POLICY:
      Hold(failed_for_good_ && spec_.failure_policy() == v1::FAILURE_POLICY_CANCEL_BATCH,
           "a job failed for good, and the policy is to cancel then");
      return;
    case v1::REASON_CRITICAL_ERROR:
      Hold(critical_, "a job had a critical error");
      return;
    case v1::REASON_SERVER_SHUTDOWN:
      Hold(interventions.draining || interventions.server_ended, "the server drains or has ended");
      return;
    default:
      Hold(false, absl::StrCat("nothing is cancelled for ", v1::Reason_Name(reason)));
  }
}

void BatchChecker::CheckCancelRequested(const engine::CancelRequested& cancel) {
  const v1::Error& error = cancel.error;
  if (cancel.indexes.empty()) {
    CheckReason(error.reason(), error.code(), -1);
    Hold(!batch_cancel_.has_value(), "a batch's cancel is recorded once");
    batch_cancel_ = error;
    return;
  }
  for (const int32_t index : cancel.indexes) {
    CheckReason(error.reason(), error.code(), index);
    job_cancels_.try_emplace(index, error);
  }
}

void BatchChecker::CheckFinish(const engine::Finish& finish, const Events& events) {
  const v1::BatchFinished& finished = *events.finished;
  const int64_t succeeded = ended_[v1::JOB_STATE_SUCCEEDED];
  Hold(finished.succeeded() == succeeded && finished.failed() == ended_[v1::JOB_STATE_FAILED] &&
           finished.cancelled() == ended_[v1::JOB_STATE_CANCELLED],
       "BatchFinished counts its jobs");
  Hold(finished.succeeded() + finished.failed() + finished.cancelled() == spec_.jobs_size(),
       "a batch finishes when each job has one result");
  const bool by_itself = !batch_cancel_ || batch_cancel_->reason() == v1::REASON_FAILURE_POLICY ||
                         batch_cancel_->reason() == v1::REASON_CRITICAL_ERROR;
  v1::BatchState expected = by_itself ? v1::BATCH_STATE_FAILED : v1::BATCH_STATE_CANCELLED;
  if (succeeded == spec_.jobs_size()) expected = v1::BATCH_STATE_SUCCEEDED;
  Hold(finish.state == expected && finished.state() == expected,
       "a batch ends as its jobs did, or as it was cancelled");
  finished_at_ = now_.steady;
}

}  // namespace jobrunner::simulation
