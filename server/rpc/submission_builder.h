// A submission, as its jobs come in.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/fingerprint.h"
#include "engine/submission.h"
#include "engine/validation.h"
#include "engine/violations.h"
#include "engine/work_catalog.h"
#include "google/protobuf/io/coded_stream.h"
#include "rpc/shard_stager.h"

namespace jobrunner::rpc {

// Takes the jobs of a batch one by one, serialized; cuts them into shards, checks them, sums them
// up for the request_id, and makes them a Submission in the end. Equal batches have equal
// fingerprints however they came in. Not thread-safe.
class SubmissionBuilder {
 public:
  // The batch is in memory as a whole, and so may not be larger than a request. All must outlive
  // the builder.
  SubmissionBuilder(std::string batch_id, std::string request_id,
                    const engine::ValidationLimits& limits, const engine::WorkCatalog& catalog);
  // Its shards are staged as they are cut: `stager` takes their bytes, and may make Add wait.
  SubmissionBuilder(std::string batch_id, std::string request_id,
                    const engine::ValidationLimits& limits, const engine::WorkCatalog& catalog,
                    ShardStager* stager, engine::JobsFrom from = engine::JobsFrom::kClient);

  // The next job. INVALID_ARGUMENT for one that is no Job, named by its place, and the errors of
  // ShardStager::Add; after one the builder is spent. What is wrong with a job that is one,
  // CheckJobs and Finish say.
  absl::Status AddJob(std::string_view job) { return cutter_.Add(job); }
  // As above, of a field at `input` whose tag was read.
  absl::Status ReadJob(google::protobuf::io::CodedInputStream* input);

  // INVALID_ARGUMENT, PERMISSION_DENIED: what is wrong with a description, and what is known to be
  // wrong with the jobs so far. Of the last 256 of them nothing is known yet.
  absl::Status CheckDescription(const v1::BatchSpec& spec);
  absl::Status CheckJobs();

  // As they were added: an array is one.
  int32_t jobs_added() const { return cutter_.position(); }

  // The batch with this description, which has no jobs. The builder is spent, and what is staged is
  // handed over. `parent_id` is set by the server alone.
  absl::StatusOr<engine::Submission> Finish(v1::BatchSpec spec, const std::string& parent_id = "");

 private:
  SubmissionBuilder(std::string batch_id, std::string request_id,
                    const engine::ValidationLimits& limits, const engine::WorkCatalog& catalog,
                    ShardStager* stager, int64_t bytes_max, engine::JobsFrom from);
  void See(int32_t position, const v1::Job& job);

  ShardStager* const stager_;
  const int64_t bytes_max_;
  engine::Violations violations_;
  engine::BatchValidator validator_;
  std::optional<engine::Fingerprint> fingerprint_;
  engine::ShardCutter cutter_;
  engine::Submission submission_;
  // A job that lies across the end of a slice.
  std::string torn_;
};

}  // namespace jobrunner::rpc
