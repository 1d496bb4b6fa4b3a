#include "engine/describe_jobs.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/proto_time.h"
#include "engine/refusal.h"

namespace jobrunner::engine {
namespace {

// How many jobs one ListJobs looks at.
constexpr int32_t kJobsLookedAtMax = 20'000;

v1::JobStatus StatusOf(const Batch& batch, int32_t index) {
  v1::JobStatus status;
  const JobFold job = batch.Job(index);
  status.set_batch_id(batch.id());
  status.set_index(index);
  status.set_state(batch.StateSeen(index));
  status.set_attempts(job.attempts);
  status.set_lost_attempts(job.lost_attempts);
  return status;
}

}  // namespace

absl::StatusOr<JobDescription> DescribeJob(const Batch& batch, int32_t index) {
  if (index < 0 || index >= batch.job_count()) {
    return Refuse(absl::StatusCode::kNotFound, "JOB_NOT_FOUND",
                  absl::StrCat("the batch has jobs 0 to ", batch.job_count() - 1));
  }
  JobDescription job;
  job.status = StatusOf(batch, index);
  job.result_sequence = batch.Job(index).result_sequence;
  job.shard_first_index = batch.shards()[batch.ShardOf(index)].first_index;
  job.accept_time = batch.header().create_time;
  job.default_delay = FromDuration(batch.header().spec.job_defaults().delay());
  return job;
}

JobsPage ListJobs(const Batch& batch, const std::vector<v1::JobState>& states, int32_t first_index,
                  int32_t page_size) {
  JobsPage page;
  int32_t looks = 0;
  for (int32_t i = std::max(first_index, 0); i < batch.job_count(); ++i) {
    if (static_cast<int32_t>(page.jobs.size()) >= page_size || ++looks > kJobsLookedAtMax) {
      page.next_index = i;
      break;
    }
    const v1::JobState state = batch.StateSeen(i);
    const bool wanted =
        states.empty() || std::find(states.begin(), states.end(), state) != states.end();
    if (wanted) page.jobs.push_back(StatusOf(batch, i));
  }
  return page;
}

}  // namespace jobrunner::engine
