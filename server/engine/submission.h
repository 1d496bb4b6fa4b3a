// A batch on its way in.

#ifndef JOBRUNNER_ENGINE_SUBMISSION_H_
#define JOBRUNNER_ENGINE_SUBMISSION_H_

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/shard.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {

// A shard with its jobs parsed already, so that a batch whose turn comes at once is parsed once.
struct SubmittedShard {
  Shard shard;
  std::shared_ptr<const ShardJobs> jobs;
};

// A validated batch (engine/validation.h).
struct Submission {
  std::string batch_id;
  std::string request_id;
  // Without its jobs.
  v1::BatchSpec spec;
  std::vector<SubmittedShard> shards;
  int32_t job_count = 0;
  // The call's deadline, if it is the batch's too; SteadyTime::max() otherwise.
  SteadyTime call_deadline = SteadyTime::max();
  bool bound_to_call = false;
};

// Cuts serialized jobs into shards. Not thread-safe.
class ShardCutter {
 public:
  explicit ShardCutter(std::string batch_id) : batch_id_(std::move(batch_id)) {}

  // Adds one job, serialized; INVALID_ARGUMENT naming batch.jobs[i] if it does not parse.
  absl::Status Add(std::string_view job_bytes);

  // The shards, in order; the cutter is spent afterwards. Timing is not filled in: the engine does
  // that, who knows the defaults.
  absl::StatusOr<std::vector<SubmittedShard>> Finish();

  int32_t job_count() const { return next_index_; }

 private:
  absl::Status Cut();

  const std::string batch_id_;
  std::string bytes_;
  int32_t first_index_ = 0;
  int32_t next_index_ = 0;
  std::vector<SubmittedShard> shards_;
};

// From a whole message, as embedding programs and tests have it. INVALID_ARGUMENT if a job does not
// survive serialization (a string that is not UTF-8).
absl::StatusOr<Submission> MakeSubmission(std::string batch_id, const v1::BatchSpec& spec);

}  // namespace jobrunner::engine

#endif  // JOBRUNNER_ENGINE_SUBMISSION_H_
