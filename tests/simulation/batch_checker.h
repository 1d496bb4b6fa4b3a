#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/attempt.h"
#include "engine/batch.h"
#include "engine/job_options.h"
#include "engine/record.h"
#include "simulation/verdict.h"

namespace jobrunner::simulation {

// What the engine was told of the end of an attempt.
struct ToldOutcome {
  int32_t attempt = 0;
  bool succeeded = false;
  // The engine had asked it to stop.
  bool stop_asked = false;
  engine::Failure failure;
  int32_t exit_code = 0;
};

// What was done to a batch that may end its jobs early.
struct Interventions {
  bool cancelled = false;
  std::set<int32_t> jobs_cancelled;
  bool readers_went = false;
  bool draining = false;
  bool durable = false;
  // It lived for a call, and the server of that call has ended.
  bool server_ended = false;
  base::SteadyTime call_deadline = base::SteadyTime::max();
};

// Holds the records of one batch, as the engine writes them, against what was promised: with a
// model of its own, apart from the fold that the engine uses.
class BatchChecker {
 public:
  // `spec` as it was submitted. `lateness` is how late a waiting job may be ended after its
  // deadline.
  BatchChecker(const engine::Accepted& accepted, v1::BatchSpec spec,
               const v1::JobOptions& queue_defaults, base::SteadyTime now,
               std::chrono::nanoseconds lateness, Verdict* verdict);

  // To be called with each record before it goes anywhere; then it is part of fold().
  void Check(const base::Now& now, const engine::Record& record);

  // Another server has started on what is left of the batch's records, each with its time: the
  // model is what they say, and attempts that ran are lost.
  using History = std::vector<std::pair<base::Now, const engine::Record*>>;
  void Restarted(const base::Now& now, const History& history);

  // When the job's last start was recorded.
  base::SteadyTime RecordedStart(int32_t index) const { return jobs_.at(index).started_at; }
  // An executor has the attempt of the job.
  void Began(int32_t index) { jobs_[index].began = true; }
  bool HasBegun(int32_t index) const { return jobs_.at(index).began; }
  // Its attempt is a remote worker's; of these one that ran when a server ended, and may be
  // claimed.
  bool IsRemote(int32_t index) const {
    return jobs_.at(index).remote && jobs_.at(index).state == v1::JOB_STATE_RUNNING;
  }
  bool IsUnclaimed(int32_t index) const {
    return IsRemote(index) && jobs_.at(index).server_lost && !fold_.header().bound_to_call;
  }
  // It goes on at its worker.
  void Claimed(int32_t index);
  // Its attempt is ended without its worker, and counts for nothing if it is put back.
  void TellLost(int32_t index, bool stopped);
  void AllowPutBack(int32_t index) { jobs_[index].may_be_put_back = true; }
  // An attempt of the job ended, before the engine hears of it.
  void Told(int32_t index, ToldOutcome outcome) { jobs_[index].told = std::move(outcome); }

  const engine::Batch& fold() const { return fold_; }
  const v1::BatchSpec& spec() const { return spec_; }
  engine::EffectiveOptions OptionsOf(int32_t index) const;
  // When the attempt that starts now is to be stopped at the latest.
  base::SteadyTime StopTime(int32_t index, base::SteadyTime start) const;
  base::SteadyTime ends_at() const { return ends_at_; }
  bool finished() const { return finished_at_.has_value(); }
  base::SteadyTime finished_at() const { return *finished_at_; }
  // The job is to end: a running attempt of it must be stopped.
  bool CancelRecorded(int32_t index) const {
    return batch_cancel_.has_value() || job_cancels_.contains(index);
  }

  Interventions interventions;

 private:
  struct JobModel {
    v1::JobState state = v1::JOB_STATE_QUEUED;
    int32_t attempts = 0;
    int32_t lost = 0;
    base::SteadyTime not_before{};
    base::SteadyTime started_at{};
    std::optional<ToldOutcome> told;
    // At least once, if only to be put back.
    bool started = false;
    // Its attempt has come to an executor, which may be later than its record.
    bool began = false;
    // It ran when a server ended.
    bool server_lost = false;
    // Its attempt is a remote worker's, and was on its way to one that left.
    bool remote = false;
    bool may_be_put_back = false;
    base::WallTime retry_at{};
  };
  // The events of one record, by what they tell.
  struct Events {
    std::map<int64_t, v1::Event> results;
    std::multimap<int32_t, v1::Event> attempt_errors;
    std::optional<v1::BatchFinished> finished;
  };

  // Fails with what was expected, of which job.
  bool Hold(bool holds, std::string_view expected, int32_t index = -1);
  Events ReadEvents(const engine::Segment& segment);
  void CheckEvent(const v1::Event& event, int64_t sequence);
  void CheckChanges(const engine::Changed& changed, Events& events);
  void CheckChange(const engine::JobChange& change, base::WallTime time, Events& events);
  void CheckStart(const engine::JobChange& change, JobModel& job);
  // It was stopped while it was held, since it may not be lost.
  bool NeverBegan(int32_t index, const JobModel& job) const;
  void CheckSuccess(const engine::JobChange& change, JobModel& job, Events& events);
  void CheckFailure(const engine::JobChange& change, JobModel& job, Events& events);
  void CheckRetry(const engine::JobChange& change, JobModel& job, base::WallTime time,
                  Events& events);
  void CheckCancel(const engine::JobChange& change, JobModel& job, Events& events);
  void CheckPutBack(int32_t index, JobModel& job);
  void CheckLateness(int32_t index, const JobModel& job);
  void CheckOwnDeadline(int32_t index, const JobModel& job, v1::Reason reason);
  void CheckReason(v1::Reason reason, int32_t code, int32_t index);
  void CheckFinish(const engine::Finish& finish, const Events& events);
  void CheckCancelRequested(const engine::CancelRequested& cancel);
  // The failure that counts: what the executor said, or the attempt's timeout.
  engine::Failure FailureOf(int32_t index, const JobModel& job, const v1::Error& error);
  bool RetryAllowed(int32_t index, const JobModel& job, const engine::Failure& failure) const;
  v1::JobResult TakeResult(const engine::JobChange& change, v1::JobState state, const JobModel& job,
                           Events& events);
  void End(JobModel& job, v1::JobState state);
  // What a record says, taken as it is.
  void Recall(const engine::Record& record);
  void Recall(const engine::JobChange& change, const engine::Changed& changed);
  void Reckon(const base::Now& now, base::WallTime last_record);

  Verdict* const verdict_;
  const v1::BatchSpec spec_;
  const engine::EffectiveOptions defaults_;
  const v1::JobOptions queue_defaults_;
  base::SteadyTime accepted_at_;
  base::SteadyTime restarted_at_ = base::SteadyTime::min();
  const std::chrono::nanoseconds lateness_;
  base::SteadyTime ends_at_ = base::SteadyTime::max();
  base::Now now_{};
  std::vector<JobModel> jobs_;
  int32_t running_ = 0;
  int64_t last_sequence_ = 0;
  bool failed_for_good_ = false;
  bool critical_ = false;
  std::map<v1::JobState, int64_t> ended_;
  std::optional<v1::Error> batch_cancel_;
  std::map<int32_t, v1::Error> job_cancels_;
  std::optional<base::SteadyTime> finished_at_;
  engine::Batch fold_;
};

}  // namespace jobrunner::simulation
