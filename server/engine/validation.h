// Whether a batch is one that can be accepted.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "engine/limits.h"
#include "engine/queue_settings.h"
#include "engine/shard_jobs.h"
#include "engine/work_catalog.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {

struct Violation {
  // The path, as batch.jobs[17].options.timeout.
  std::string field;
  std::string description;
};

// What is wrong with a request: the first ones, and how many there are.
class Violations {
 public:
  static constexpr size_t kKeptMax = 16;

  void Add(std::string field, std::string description);
  bool empty() const { return count_ == 0; }
  int64_t count() const { return count_; }
  const std::vector<Violation>& kept() const { return kept_; }
  // A command that is not allowed. When there is nothing else, the call is PERMISSION_DENIED.
  void AddDenied(std::string field, std::string description);
  bool only_denied() const { return denied_ == count_ && count_ > 0; }

 private:
  std::vector<Violation> kept_;
  int64_t count_ = 0;
  int64_t denied_ = 0;
};

// What validation holds a batch against.
struct ValidationLimits {
  int64_t jobs_per_batch_max = kJobsPerBatchDefault;
  int64_t payload_bytes_max = kPayloadBytesMax;
};

// Checks one batch, its description first, then its jobs as they are cut into shards. Not
// thread-safe; one for each batch.
class BatchValidator {
 public:
  // `prefix` is the path of the batch in the request ("batch"). All must outlive the validator.
  BatchValidator(std::string_view prefix, const ValidationLimits& limits, const WorkCatalog& catalog,
                 Violations* violations);

  // The description, without its jobs.
  void CheckSpec(const v1::BatchSpec& spec);
  // To be given to ShardCutter.
  void CheckJobs(const ShardJobs& jobs);
  // After the last job: that there is one, and not too many.
  void CheckCount(int64_t job_count);

 private:
  void CheckJob(int32_t index, const v1::Job& job);

  const std::string prefix_;
  const ValidationLimits& limits_;
  const WorkCatalog& catalog_;
  Violations* const violations_;
  absl::flat_hash_set<std::string> keys_;
};

}  // namespace jobrunner::engine
