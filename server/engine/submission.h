// A batch on its way in.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "engine/limits.h"
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

// What a durable store has of a request_id that was used before.
struct KnownAnswer {
  std::string fingerprint;
  // The batch that it made: as it stands, or as it was last if it has been removed.
  v1::Batch batch;
};

// A validated batch (engine/validation.h).
struct Submission {
  std::string batch_id;
  std::string request_id;
  // Without its jobs.
  v1::BatchSpec spec;
  // Those without bytes are staged in the store.
  std::vector<SubmittedShard> shards;
  int32_t job_count = 0;
  // Bytes of the shards that are staged.
  int64_t staged_bytes = 0;
  // ShardCutter.needs().
  std::vector<std::string> needs;
  // The call's deadline, if it is the batch's too; base::SteadyTime::max() otherwise.
  base::SteadyTime call_deadline = base::SteadyTime::max();
  bool bound_to_call = false;
  // Equal for equal batches, whatever the order of their maps; set with request_id.
  std::string fingerprint;

  // With a durable store, and a request_id: when the store was asked for it, a moment before that;
  // and its answer, if it had a finished or removed batch for it.
  //
  // That this was before the Submit is looked at leaves no gap. A request that the store did not
  // have was accepted later than that, or never: so its batch runs, and the engine knows it; or it
  // has left the engine since, and the engine remembers that for kRequestAfterBatch. A Submit
  // whose look-up is older than kRequestLookUpAgeMax is refused with UNAVAILABLE, to be tried
  // again.
  base::SteadyTime looked_up_at = base::SteadyTime::min();
  std::optional<KnownAnswer> known;
};

// What a job needs to run: a handler by its name, a pool of remote workers by NeedOfPool; empty for
// what the server's own pool alone runs.
std::string NeedOf(const v1::Job& job);
// No handler has this name: its prefix is reserved.
inline constexpr char kPoolNeedPrefix[] = "pool:";
std::string NeedOfPool(std::string_view pool);

// Cuts serialized jobs into shards. An array is stored as slices of its description, so that it
// costs a shard for each kJobsPerShardMax of its elements, whatever they are. Not thread-safe.
class ShardCutter {
 public:
  // Sees each job that was added, parsed, in order; an array once, as it was added. `position`
  // counts what was added, and is the job's in the request. For validation.
  using Visit = std::function<void(int32_t position, const v1::Job& job)>;
  // Is given each shard when it is cut, and may take its bytes away. May block.
  using Take = std::function<absl::Status(SubmittedShard* shard)>;

  // Of what comes beyond the limits only the numbers are kept.
  struct Limits {
    int64_t jobs_max = kJobsPerBatchMax;
    // Of the shards.
    int64_t bytes_max = kBatchBytesMax;
  };
  ShardCutter(std::string batch_id, Limits limits, Visit visit = nullptr, Take take = nullptr);

  // Adds one serialized Job. INVALID_ARGUMENT naming batch.jobs[position] if jobs do not parse, and
  // what `take` says; then the cutter is spent.
  absl::Status Add(std::string_view job);

  // The shards, in order; the cutter is spent afterwards.
  absl::StatusOr<std::vector<SubmittedShard>> Finish();

  // The elements of arrays counted, each.
  int64_t job_count() const { return job_count_; }
  // What was added, an array being one.
  int32_t position() const { return position_; }
  // Of all shards; more than the limit if there was more.
  int64_t bytes() const { return cut_bytes_ + static_cast<int64_t>(bytes_.size()); }
  // NeedOf of the jobs that were added, each once; up to kNeedsMax and one more. After Finish.
  const std::vector<std::string>& needs() const { return needs_; }

 private:
  absl::Status AddArray(std::string_view bytes);
  absl::Status AddSlices(v1::Job array);
  void Append(std::string_view job, int32_t count, size_t expanded_bytes);
  void AddNeed(const v1::Job& job);
  // Whether one more job of so many bytes belongs into the next shard.
  bool IsFull(size_t job_bytes) const;
  absl::Status Cut();
  bool IsOverLimits() const { return job_count_ > limits_.jobs_max || bytes() > limits_.bytes_max; }

  const std::string batch_id_;
  const Limits limits_;
  const Visit visit_;
  const Take take_;
  int64_t job_count_ = 0;
  int64_t cut_bytes_ = 0;
  std::vector<std::string> needs_;
  // Of what is added next.
  int32_t position_ = 0;

  // The shard at hand. It is of arrays' slices alone, or of none.
  std::string bytes_;
  size_t expanded_bytes_ = 0;
  bool has_slices_ = false;
  int32_t first_position_ = 0;
  int32_t first_index_ = 0;
  int32_t next_index_ = 0;
  std::vector<SubmittedShard> shards_;
};

// From a whole message, as embedding programs and tests have it. INVALID_ARGUMENT if a job does not
// survive serialization (a string that is not UTF-8), or there are more than kJobsPerBatchMax.
absl::StatusOr<Submission> MakeSubmission(std::string batch_id, const v1::BatchSpec& spec,
                                          ShardCutter::Visit visit = nullptr);

}  // namespace jobrunner::engine
