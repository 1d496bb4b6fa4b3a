// A batch on its way in.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "engine/shard.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {

// The first shards keep their jobs parsed, so that a batch whose turn comes at once is parsed once;
// those of later shards are dropped, so that a large batch costs its bytes.
inline constexpr int32_t kShardsKeptParsedMax = 8;

struct SubmittedShard {
  Shard shard;
  // Null beyond kShardsKeptParsedMax.
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
  // The call's deadline, if it is the batch's too; base::SteadyTime::max() otherwise.
  base::SteadyTime call_deadline = base::SteadyTime::max();
  bool bound_to_call = false;
  // Equal for equal batches, whatever the order of their maps; set with request_id.
  std::string fingerprint;
};

// Cuts serialized jobs into shards. Not thread-safe.
class ShardCutter {
 public:
  // `visit` sees each shard's jobs once, parsed, in order: for validation.
  using Visit = std::function<void(const ShardJobs& jobs)>;
  explicit ShardCutter(std::string batch_id, Visit visit = nullptr);

  // Adds one serialized Job. INVALID_ARGUMENT naming batch.jobs[i] if jobs do not parse; then the
  // cutter is spent.
  absl::Status Add(std::string_view job);

  // The shards, in order; the cutter is spent afterwards.
  absl::StatusOr<std::vector<SubmittedShard>> Finish();

  int32_t job_count() const { return next_index_; }

 private:
  absl::Status Cut();

  const std::string batch_id_;
  const Visit visit_;
  std::string bytes_;
  int32_t first_index_ = 0;
  int32_t next_index_ = 0;
  std::vector<SubmittedShard> shards_;
};

// From a whole message, as embedding programs and tests have it. INVALID_ARGUMENT if a job does not
// survive serialization (a string that is not UTF-8).
absl::StatusOr<Submission> MakeSubmission(std::string batch_id, const v1::BatchSpec& spec);

}  // namespace jobrunner::engine
