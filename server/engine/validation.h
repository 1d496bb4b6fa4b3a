// Whether a batch is one that can be accepted.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/key_set.h"
#include "engine/limits.h"
#include "engine/violations.h"
#include "engine/work_catalog.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {

// What validation holds a batch against.
struct ValidationLimits {
  int64_t jobs_per_batch_max = kJobsPerBatchDefault;
  // Of a batch's jobs as they are stored; and of one that has to be in memory as a whole.
  int64_t batch_bytes_max = kBatchBytesDefault;
  int64_t request_bytes_max = kRequestBytesDefault;
  // Of a handler's payload, a command's standard input and a request's body.
  int64_t payload_bytes_max = kPayloadBytesMax;
};

// Whose jobs are checked. Those that were accepted before may have what the server itself sets.
enum class JobsFrom { kClient, kStore };

// Checks one batch: its description, its jobs as they are cut into shards, their count, in any
// order. Not thread-safe; one for each batch.
class BatchValidator {
 public:
  // `prefix` is the path of the batch in the request ("batch"). All must outlive the validator.
  BatchValidator(std::string_view prefix, const ValidationLimits& limits,
                 const WorkCatalog& catalog, Violations* violations,
                 JobsFrom from = JobsFrom::kClient);

  // The description, without its jobs. That its queue exists is the engine's to say.
  void CheckSpec(const v1::BatchSpec& spec);
  // A job, or an array; `position` is its place in the request. To be given to ShardCutter.
  void CheckJob(int32_t position, const v1::Job& job);
  // That there is a job, and not too many.
  void CheckCount(int64_t job_count);
  // That the jobs, as they are stored, take no more than `bytes_max`.
  void CheckBytes(int64_t stored_bytes, int64_t bytes_max);

 private:
  // The last element stands for all but the keys: its number is the longest.
  void CheckArray(const FieldPath& path, const v1::Job& array);
  void CheckOne(const FieldPath& path, const v1::Job& job);
  void CheckKeyIsNew(const FieldPath& job_path, const std::string& key);
  void CheckFinishedUrl(const std::string& url);
  void AskCatalog(const FieldPath& job_path, const v1::Job& job);
  void AddRefusal(const FieldPath& path, const absl::Status& status, std::string_view reason);

  const FieldPath path_;
  const ValidationLimits& limits_;
  const WorkCatalog& catalog_;
  Violations* const violations_;
  const JobsFrom from_;
  KeySet keys_;
  // The last one that the catalog allowed.
  std::string allowed_url_;
};

}  // namespace jobrunner::engine
