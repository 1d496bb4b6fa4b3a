#include "engine/submission.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "engine/proto_time.h"
#include "engine/serialized_jobs.h"

namespace jobrunner::engine {
namespace {

// Also of a duration that is out of bounds: the batch is refused for it later.
std::chrono::nanoseconds Clamped(const google::protobuf::Duration& duration) {
  constexpr int64_t kSecondsMax = std::chrono::seconds(kDurationMax).count();
  if (duration.seconds() < 0) return std::chrono::nanoseconds(0);
  return duration.seconds() > kSecondsMax ? kDurationMax : FromDuration(duration);
}

ShardTiming TimingOf(const ShardJobs& jobs) {
  ShardTiming timing;
  const auto take_shortest = [](std::chrono::nanoseconds* shortest,
                                const google::protobuf::Duration& duration) {
    *shortest = std::min(*shortest, Clamped(duration));
  };
  const int32_t end = jobs.first_index() + jobs.size();
  for (int32_t i = jobs.first_index(); i < end; ++i) {
    const v1::JobOptions& options = jobs.job(i).options();
    if (options.has_start_timeout()) {
      take_shortest(&timing.start_timeout_min, options.start_timeout());
    }
    if (options.has_total_timeout()) {
      take_shortest(&timing.total_timeout_min, options.total_timeout());
    }
    if (options.has_delay()) take_shortest(&timing.delay_min, options.delay());
    timing.delay_unset |= !options.has_delay();
  }
  return timing;
}

// The position of the first job that does not parse.
int32_t FirstUnreadable(std::string_view bytes) {
  SerializedJobs jobs(bytes);
  v1::Job parsed;
  for (int32_t i = 0;; ++i) {
    const auto job = jobs.Next();
    if (!job || !parsed.ParseFromArray(job->data(), static_cast<int>(job->size()))) return i;
  }
}

absl::Status Malformed(int32_t position) {
  return absl::InvalidArgumentError(absl::StrCat(
      "batch.jobs[", position, "]: is not a Job: malformed, or a text that is not UTF-8"));
}

}  // namespace

std::string NeedOf(const v1::Job& job) {
  if (job.has_handler()) return job.handler().name();
  return job.command().pool().empty() ? "" : NeedOfPool(job.command().pool());
}

std::string NeedOfPool(std::string_view pool) { return kPoolNeedPrefix + std::string(pool); }

ShardCutter::ShardCutter(std::string batch_id, Limits limits, Visit visit, Take take)
    : batch_id_(std::move(batch_id)),
      limits_(limits),
      visit_(std::move(visit)),
      take_(std::move(take)) {}

absl::Status ShardCutter::Add(std::string_view job) {
  if (CountOfSerializedJob(job) != 0) return AddArray(job);
  ++position_;
  ++job_count_;
  if (IsOverLimits()) return absl::OkStatus();
  if (has_slices_ || IsFull(job.size())) RETURN_IF_ERROR(Cut());
  if (bytes_.empty()) first_position_ = position_ - 1;
  Append(job, 1, job.size());
  return absl::OkStatus();
}

absl::Status ShardCutter::AddArray(std::string_view bytes) {
  if (!has_slices_) RETURN_IF_ERROR(Cut());
  const int32_t position = position_++;
  v1::Job array;
  if (!array.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Malformed(position);
  }
  if (visit_) visit_(position, array);
  AddNeed(array);
  if (array.count() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch.jobs[", position, "].count: must not be negative"));
  }
  job_count_ += array.count();
  return AddSlices(std::move(array));
}

absl::Status ShardCutter::AddSlices(v1::Job array) {
  const int32_t count = array.count();
  const size_t bytes = array.ByteSizeLong();
  for (int32_t begin = 0; begin < count && !IsOverLimits();) {
    if (IsFull(bytes)) RETURN_IF_ERROR(Cut());
    const auto fit = static_cast<int64_t>((kShardBytesMax - expanded_bytes_) / bytes);
    const int32_t room = kJobsPerShardMax - (next_index_ - first_index_);
    const auto size =
        static_cast<int32_t>(std::clamp<int64_t>(fit, 1, std::min(room, count - begin)));
    array.set_array_begin(begin);
    array.set_count(size);
    Append(array.SerializeAsString(), size, bytes * static_cast<size_t>(size));
    has_slices_ = true;
    begin += size;
  }
  return absl::OkStatus();
}

void ShardCutter::Append(std::string_view job, int32_t count, size_t expanded_bytes) {
  AppendSerializedJob(job, &bytes_);
  expanded_bytes_ += expanded_bytes;
  next_index_ += count;
}

bool ShardCutter::IsFull(size_t job_bytes) const {
  return next_index_ - first_index_ == kJobsPerShardMax ||
         (next_index_ > first_index_ &&
          static_cast<int64_t>(expanded_bytes_ + job_bytes) > kShardBytesMax);
}

// Most batches have one.
void ShardCutter::AddNeed(const v1::Job& job) {
  std::string need = NeedOf(job);
  if (!needs_.empty() && needs_.back() == need) return;
  const auto known = std::find(needs_.begin(), needs_.end(), need);
  if (known != needs_.end()) {
    std::swap(*known, needs_.back());
  } else if (static_cast<int32_t>(needs_.size()) <= kNeedsMax) {
    needs_.push_back(std::move(need));
  }
}

absl::StatusOr<std::vector<SubmittedShard>> ShardCutter::Finish() {
  RETURN_IF_ERROR(Cut());
  return std::move(shards_);
}

absl::Status ShardCutter::Cut() {
  if (next_index_ == first_index_) return absl::OkStatus();
  auto jobs = ShardJobs::Parse(batch_id_, first_index_, bytes_);
  if (!jobs.ok()) return Malformed(first_position_ + FirstUnreadable(bytes_));
  if (!has_slices_) {
    for (int32_t i = 0; i < (*jobs)->size(); ++i) {
      const v1::Job& job = (*jobs)->job(first_index_ + i);
      if (visit_) visit_(first_position_ + i, job);
      AddNeed(job);
    }
  }

  SubmittedShard& submitted = shards_.emplace_back();
  submitted.shard.first_index = first_index_;
  submitted.shard.count = (*jobs)->size();
  submitted.shard.timing = TimingOf(**jobs);
  // A copy of exactly that size: it lives as long as the jobs wait, and the buffer is used again.
  submitted.shard.bytes = std::make_shared<const std::string>(bytes_);
  if (static_cast<int32_t>(shards_.size()) <= kShardsKeptParsedMax) {
    submitted.jobs = *std::move(jobs);
  }
  cut_bytes_ += static_cast<int64_t>(bytes_.size());
  bytes_.clear();
  expanded_bytes_ = 0;
  has_slices_ = false;
  first_index_ = next_index_;
  return take_ ? take_(&submitted) : absl::OkStatus();
}

absl::StatusOr<Submission> MakeSubmission(std::string batch_id, const v1::BatchSpec& spec,
                                          ShardCutter::Visit visit) {
  Submission submission;
  submission.batch_id = std::move(batch_id);

  ShardCutter cutter(submission.batch_id, {}, std::move(visit));
  std::string bytes;
  for (const v1::Job& job : spec.jobs()) {
    job.SerializeToString(&bytes);
    RETURN_IF_ERROR(cutter.Add(bytes));
  }
  if (cutter.job_count() > kJobsPerBatchMax) {
    return absl::InvalidArgumentError(absl::StrCat("batch.jobs: has ", cutter.job_count(),
                                                   " jobs, at most ", kJobsPerBatchMax,
                                                   " are allowed"));
  }
  submission.job_count = static_cast<int32_t>(cutter.job_count());
  ASSIGN_OR_RETURN(submission.shards, cutter.Finish());
  submission.needs = cutter.needs();

  submission.spec = spec;
  // Not clear_jobs(), which would keep their memory for the next ones.
  google::protobuf::RepeatedPtrField<v1::Job>().Swap(submission.spec.mutable_jobs());
  return submission;
}

}  // namespace jobrunner::engine
