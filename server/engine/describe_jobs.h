// What is said of a batch's jobs, from the fold alone: the same of a batch that runs and of one
// that the store has folded.

#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "engine/batch.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {

struct JobsPage {
  std::vector<v1::JobStatus> jobs;
  // Where the next page begins; -1 at the end.
  int32_t next_index = -1;
};

// A job without what the store has of it.
struct JobDescription {
  v1::JobStatus status;
  // Where its result is in the log; 0: none yet.
  int64_t result_sequence = 0;
  // The shard that has the job.
  int32_t shard_first_index = 0;
  base::WallTime accept_time{};
  // Of a job that sets none itself.
  std::chrono::nanoseconds default_delay{0};
};

// NOT_FOUND for an index outside the batch. Without what the job waits for, which is the engine's
// to say.
absl::StatusOr<JobDescription> DescribeJob(const Batch& batch, int32_t index);

// From `first_index` on; no states: all. A page may be short where many jobs do not match: it looks
// at a bounded number of them. Without waits, as above.
JobsPage ListJobs(const Batch& batch, const std::vector<v1::JobState>& states, int32_t first_index,
                  int32_t page_size);

}  // namespace jobrunner::engine
