#include "engine/batch.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "engine/limits.h"
#include "engine/proto_time.h"

namespace jobrunner::engine {
namespace {

bool Ended(v1::JobState state) {
  return state == v1::JOB_STATE_SUCCEEDED || state == v1::JOB_STATE_FAILED ||
         state == v1::JOB_STATE_CANCELLED;
}

v1::JobState StateOf(uint8_t packed) { return static_cast<v1::JobState>(packed); }

}  // namespace

Batch::Batch(const Accepted& accepted)
    : header_(accepted.header),
      shards_(accepted.shards),
      jobs_(shards_.size()),
      last_time_(header_->create_time) {
  counts_[v1::JOB_STATE_QUEUED] = header_->job_count;
  unfinished_in_shard_.reserve(shards_.size());
  for (const Shard& shard : shards_) unfinished_in_shard_.push_back(shard.count);
}

void Batch::Apply(const Record& record) {
  if (const auto* changed = std::get_if<Changed>(&record)) {
    last_time_ = std::max(last_time_, changed->time);
    for (const JobChange& change : changed->changes) Apply(change, changed->time);
    if (changed->segment != nullptr) ApplyEvents(*changed->segment);
    if (changed->finish) ApplyFinish(*changed->finish);
  } else if (const auto* cancel = std::get_if<CancelRequested>(&record)) {
    Apply(*cancel);
  }
  // Accepted made the batch.
}

void Batch::Apply(const JobChange& change, base::WallTime time) {
  JOBRUNNER_CHECK(Allows(change));
  const size_t shard = ShardOf(change.index);
  Packed& job = Touch(change.index);
  last_time_ = std::max(last_time_, time);
  if (job.state == v1::JOB_STATE_RUNNING && !remote_.empty()) remote_.erase(change.index);
  switch (change.transition) {
    case JobTransition::kStart:
      ++job.attempts;
      job.started = 1;
      if (change.remote_number != 0) {
        remote_[change.index] = {change.remote_epoch, change.remote_number, time};
      }
      Move(job, v1::JOB_STATE_RUNNING);
      break;
    case JobTransition::kSucceed:
      End(job, shard, v1::JOB_STATE_SUCCEEDED, change);
      break;
    case JobTransition::kFailForGood:
      ++failed_for_good_;
      if (change.lost) ++job.lost_attempts;
      End(job, shard, v1::JOB_STATE_FAILED, change);
      break;
    case JobTransition::kCancel:
      if (change.own_deadline) ++failed_for_good_;
      waiting_.erase(change.index);
      cancelled_jobs_.erase(change.index);
      End(job, shard, v1::JOB_STATE_CANCELLED, change);
      break;
    case JobTransition::kRetryAt:
      if (change.lost) ++job.lost_attempts;
      waiting_[change.index] = {time, change.not_before};
      Move(job, v1::JOB_STATE_RETRYING);
      break;
    case JobTransition::kRequeue:
      waiting_.erase(change.index);
      Move(job, v1::JOB_STATE_QUEUED);
      break;
    case JobTransition::kPutBack:
      --job.attempts;
      Move(job, v1::JOB_STATE_QUEUED);
      break;
  }
}

void Batch::ApplyEvents(const Segment& segment) {
  ApplyEvents(segment.first_sequence(), segment.last_sequence());
}

void Batch::ApplyEvents(int64_t first_sequence, int64_t last_sequence) {
  JOBRUNNER_CHECK(AllowsEvents(first_sequence, last_sequence));
  last_sequence_ = last_sequence;
}

void Batch::ApplyFinish(const Finish& finish) {
  JOBRUNNER_CHECK(AllowsFinish());
  state_ = finish.state;
  finish_time_ = finish.time;
}

void Batch::Apply(const CancelRequested& cancel) {
  last_time_ = std::max(last_time_, cancel.time);
  if (cancel.indexes.empty()) {
    if (!cancelled_by_) cancelled_by_ = cancel.error;
    return;
  }
  for (int32_t index : cancel.indexes) {
    if (!Ended(Job(index).state)) cancelled_jobs_.try_emplace(index, cancel.error);
  }
}

bool Batch::Allows(const JobChange& change) const {
  if (change.index < 0 || change.index >= job_count()) return false;
  const v1::JobState state = Job(change.index).state;
  switch (change.transition) {
    case JobTransition::kStart:
      return state == v1::JOB_STATE_QUEUED;
    case JobTransition::kSucceed:
    case JobTransition::kFailForGood:
    case JobTransition::kRetryAt:
    case JobTransition::kPutBack:
      return state == v1::JOB_STATE_RUNNING;
    case JobTransition::kCancel:
      return !Ended(state);
    case JobTransition::kRequeue:
      return state == v1::JOB_STATE_RETRYING;
  }
  return false;
}

bool Batch::AllowsEvents(int64_t first_sequence, int64_t last_sequence) const {
  return first_sequence == last_sequence_ + 1 && last_sequence >= first_sequence;
}

bool Batch::AllowsFinish() const { return unfinished() == 0 && !finished(); }

size_t Batch::ShardOf(int32_t index) const {
  JOBRUNNER_CHECK(index >= 0 && index < job_count());
  // Most shards are full, so that the first guess mostly holds.
  const size_t guess = static_cast<size_t>(index) / kJobsPerShardMax;
  if (guess < shards_.size() && shards_[guess].first_index <= index &&
      index < shards_[guess].first_index + shards_[guess].count) {
    return guess;
  }
  auto after = std::upper_bound(shards_.begin(), shards_.end(), index,
                                [](int32_t i, const Shard& s) { return i < s.first_index; });
  return static_cast<size_t>(after - shards_.begin()) - 1;
}

void Batch::DropBytes() {
  for (Shard& shard : shards_) shard.bytes.reset();
}

JobFold Batch::Job(int32_t index) const {
  const Packed* packed = Peek(index);
  if (packed == nullptr) return {};
  return {StateOf(packed->state), packed->attempts, packed->lost_attempts, packed->started != 0,
          packed->result_sequence};
}

v1::JobState Batch::StateSeen(int32_t index) const {
  const v1::JobState state = Job(index).state;
  const bool waits = state == v1::JOB_STATE_QUEUED || state == v1::JOB_STATE_RETRYING;
  return waits && CancelOf(index) != nullptr ? v1::JOB_STATE_CANCELLED : state;
}

std::optional<Batch::Waiting> Batch::WaitingOf(int32_t index) const {
  auto found = waiting_.find(index);
  if (found == waiting_.end()) return std::nullopt;
  return found->second;
}

std::optional<Batch::Remote> Batch::RemoteOf(int32_t index) const {
  auto found = remote_.find(index);
  if (found == remote_.end()) return std::nullopt;
  return found->second;
}

int64_t Batch::unfinished() const {
  return counts_[v1::JOB_STATE_QUEUED] + counts_[v1::JOB_STATE_RUNNING] +
         counts_[v1::JOB_STATE_RETRYING];
}

const v1::Error* Batch::CancelOf(int32_t index) const {
  if (!cancelled_jobs_.empty()) {
    auto found = cancelled_jobs_.find(index);
    if (found != cancelled_jobs_.end()) return &found->second;
  }
  return cancelled_by_ ? &*cancelled_by_ : nullptr;
}

v1::BatchState Batch::FinalState() const {
  if (count(v1::JOB_STATE_SUCCEEDED) == job_count()) return v1::BATCH_STATE_SUCCEEDED;
  if (!cancelled_by_) return v1::BATCH_STATE_FAILED;
  switch (cancelled_by_->reason()) {
    case v1::REASON_FAILURE_POLICY:
    case v1::REASON_CRITICAL_ERROR:
      // It ended early through a job of its own.
      return v1::BATCH_STATE_FAILED;
    default:
      return v1::BATCH_STATE_CANCELLED;
  }
}

std::pair<int64_t, int64_t> Batch::CancelledWaiting() const {
  if (cancelled_by_) return {count(v1::JOB_STATE_QUEUED), count(v1::JOB_STATE_RETRYING)};
  int64_t queued = 0;
  int64_t retrying = 0;
  for (const auto& [index, error] : cancelled_jobs_) {
    const v1::JobState state = Job(index).state;
    queued += state == v1::JOB_STATE_QUEUED;
    retrying += state == v1::JOB_STATE_RETRYING;
  }
  return {queued, retrying};
}

v1::Batch Batch::Describe() const {
  v1::Batch out;
  out.set_id(header_->id);
  out.set_name(header_->spec.name());
  *out.mutable_labels() = header_->spec.labels();
  out.set_queue(header_->spec.queue());
  out.set_priority(header_->spec.priority());
  out.set_state(state_);
  out.set_parent_id(header_->spec.parent_id());
  v1::JobCounts& counts = *out.mutable_counts();
  counts.set_total(job_count());
  counts.set_running(count(v1::JOB_STATE_RUNNING));
  counts.set_succeeded(count(v1::JOB_STATE_SUCCEEDED));
  counts.set_failed(count(v1::JOB_STATE_FAILED));
  // From the request on, waiting jobs read as cancelled.
  const auto [queued, retrying] = CancelledWaiting();
  counts.set_queued(count(v1::JOB_STATE_QUEUED) - queued);
  counts.set_retrying(count(v1::JOB_STATE_RETRYING) - retrying);
  counts.set_cancelled(count(v1::JOB_STATE_CANCELLED) + queued + retrying);
  *out.mutable_create_time() = ToTimestamp(header_->create_time);
  if (finished()) *out.mutable_finish_time() = ToTimestamp(finish_time_);
  if (header_->deadline != base::WallTime::max()) {
    *out.mutable_deadline() = ToTimestamp(header_->deadline);
  }
  if (cancelled_by_) *out.mutable_error() = *cancelled_by_;
  out.set_last_sequence(last_sequence_);
  out.set_cancel_requested(cancelled_by_.has_value());
  return out;
}

Batch::Packed& Batch::Touch(int32_t index) {
  const size_t shard = ShardOf(index);
  if (jobs_[shard] == nullptr) jobs_[shard] = std::make_unique<Packed[]>(shards_[shard].count);
  return jobs_[shard][index - shards_[shard].first_index];
}

const Batch::Packed* Batch::Peek(int32_t index) const {
  const size_t shard = ShardOf(index);
  if (jobs_[shard] == nullptr) return nullptr;
  return &jobs_[shard][index - shards_[shard].first_index];
}

void Batch::Move(Packed& job, v1::JobState to) {
  --counts_[job.state];
  ++counts_[to];
  job.state = static_cast<uint8_t>(to);
}

void Batch::End(Packed& job, size_t shard, v1::JobState to, const JobChange& change) {
  job.result_sequence = static_cast<uint32_t>(change.result_sequence);
  --unfinished_in_shard_[shard];
  Move(job, to);
}

}  // namespace jobrunner::engine
