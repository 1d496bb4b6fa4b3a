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

}  // namespace

ShardCutter::ShardCutter(std::string batch_id, Visit visit)
    : batch_id_(std::move(batch_id)), visit_(std::move(visit)) {}

absl::Status ShardCutter::Add(std::string_view job) {
  const bool full = next_index_ - first_index_ == kJobsPerShardMax ||
                    static_cast<int64_t>(bytes_.size() + job.size()) > kShardBytesMax;
  if (full && next_index_ > first_index_) RETURN_IF_ERROR(Cut());
  AppendSerializedJob(job, &bytes_);
  ++next_index_;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SubmittedShard>> ShardCutter::Finish() {
  if (next_index_ > first_index_) RETURN_IF_ERROR(Cut());
  return std::move(shards_);
}

absl::Status ShardCutter::Cut() {
  auto jobs = ShardJobs::Parse(batch_id_, first_index_, bytes_);
  if (!jobs.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch.jobs[", first_index_ + FirstUnreadable(bytes_),
                     "]: is not a Job: malformed, or a text that is not UTF-8"));
  }
  if (visit_) visit_(**jobs);

  SubmittedShard& submitted = shards_.emplace_back();
  submitted.shard.first_index = first_index_;
  submitted.shard.count = (*jobs)->size();
  submitted.shard.timing = TimingOf(**jobs);
  // A copy of exactly that size: it lives as long as the jobs wait, and the buffer is used again.
  submitted.shard.bytes = std::make_shared<const std::string>(bytes_);
  if (static_cast<int32_t>(shards_.size()) <= kShardsKeptParsedMax) {
    submitted.jobs = *std::move(jobs);
  }
  bytes_.clear();
  first_index_ = next_index_;
  return absl::OkStatus();
}

absl::StatusOr<Submission> MakeSubmission(std::string batch_id, const v1::BatchSpec& spec) {
  Submission submission;
  submission.batch_id = std::move(batch_id);

  ShardCutter cutter(submission.batch_id);
  std::string bytes;
  for (const v1::Job& job : spec.jobs()) {
    job.SerializeToString(&bytes);
    RETURN_IF_ERROR(cutter.Add(bytes));
  }
  submission.job_count = cutter.job_count();
  ASSIGN_OR_RETURN(submission.shards, cutter.Finish());

  submission.spec = spec;
  // Not clear_jobs(), which would keep their memory for the next ones.
  google::protobuf::RepeatedPtrField<v1::Job>().Swap(submission.spec.mutable_jobs());
  return submission;
}

}  // namespace jobrunner::engine
