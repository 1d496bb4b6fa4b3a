#include "rpc/retries.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "engine/engine_thread.h"
#include "engine/refusal.h"
#include "rpc/admission.h"
#include "rpc/batch_sight.h"
#include "rpc/request_rules.h"
#include "rpc/shard_stager.h"
#include "rpc/status.h"
#include "rpc/stored_jobs.h"
#include "rpc/submission_builder.h"

namespace jobrunner::rpc {
namespace {

// What of a finished batch is to run again.
struct Chosen {
  struct Job {
    int32_t index = 0;
    int32_t shard_first_index = 0;
  };
  engine::BatchHeaderPtr parent;
  // By index.
  std::vector<Job> jobs;
};

bool CanRunAgain(v1::JobState state) {
  return state == v1::JOB_STATE_FAILED || state == v1::JOB_STATE_CANCELLED;
}

void Choose(const engine::Batch& batch, int32_t index, Chosen* chosen) {
  chosen->jobs.push_back({index, batch.shards()[batch.ShardOf(index)].first_index});
}

absl::Status ChooseNamed(const engine::Batch& batch, const v1::RetryJobsRequest& request,
                         Chosen* chosen) {
  std::vector<int32_t> indexes(request.job_indexes().begin(), request.job_indexes().end());
  for (size_t i = 0; i < indexes.size(); ++i) {
    const std::string field = absl::StrCat("job_indexes[", i, "]");
    if (indexes[i] >= batch.job_count()) {
      return InvalidField(field, absl::StrCat("the batch has jobs 0 to ", batch.job_count() - 1));
    }
    if (!CanRunAgain(batch.Job(indexes[i]).state)) {
      return engine::Refuse(absl::StatusCode::kFailedPrecondition, "JOB_SUCCEEDED",
                            absl::StrCat(field, ": job ", indexes[i], " succeeded"));
    }
  }
  std::sort(indexes.begin(), indexes.end());
  indexes.erase(std::unique(indexes.begin(), indexes.end()), indexes.end());
  for (const int32_t index : indexes) Choose(batch, index, chosen);
  return absl::OkStatus();
}

// Goes through all jobs, some nanoseconds each, where one of them did not succeed.
absl::Status ChooseAll(const engine::Batch& batch, Chosen* chosen) {
  if (batch.count(v1::JOB_STATE_SUCCEEDED) == batch.job_count()) {
    return engine::Refuse(absl::StatusCode::kFailedPrecondition, "NOTHING_TO_RETRY",
                          "every job of the batch succeeded");
  }
  for (int32_t index = 0; index < batch.job_count(); ++index) {
    if (CanRunAgain(batch.Job(index).state)) Choose(batch, index, chosen);
  }
  return absl::OkStatus();
}

absl::StatusOr<Chosen> ChooseJobs(const engine::Batch& batch, const v1::RetryJobsRequest& request) {
  if (!batch.finished()) {
    return engine::Refuse(absl::StatusCode::kFailedPrecondition, "BATCH_RUNNING",
                          "the batch has not finished: its jobs can be run again once it has");
  }
  Chosen chosen{batch.header_ptr(), {}};
  RETURN_IF_ERROR(request.job_indexes().empty() ? ChooseAll(batch, &chosen)
                                                : ChooseNamed(batch, request, &chosen));
  return chosen;
}

// The parent's description, as the new batch has it.
v1::BatchSpec Description(const engine::BatchHeader& parent) {
  v1::BatchSpec spec = parent.spec;
  // There is no call that it could end with.
  spec.clear_lifetime();
  spec.clear_parent_id();
  return spec;
}

// Blocks on the store. Checks the jobs again: what may be run can have changed since.
absl::StatusOr<engine::Submission> MakeSubmission(const ServerParts& server, const Chosen& chosen,
                                                  const std::string& request_id,
                                                  ShardStager* stager) {
  SubmissionBuilder builder(stager->batch_id(), request_id, server.validation, *server.catalog,
                            stager, engine::JobsFrom::kStore);
  StoredJobs stored(server.store, chosen.parent->id);
  std::string bytes;
  for (const Chosen::Job& one : chosen.jobs) {
    // An element of an array becomes a job of its own.
    ASSIGN_OR_RETURN(const v1::Job job, stored.JobAt(one.index, one.shard_first_index));
    job.SerializeToString(&bytes);
    RETURN_IF_ERROR(builder.AddJob(bytes));
  }
  return builder.Finish(Description(*chosen.parent), chosen.parent->id);
}

void Answer(const absl::StatusOr<v1::Batch>& batch, UnaryCall* call) {
  if (!batch.ok()) return call->Refuse(batch.status());
  v1::RetryJobsResponse response;
  *response.mutable_batch() = *batch;
  call->Answer(response);
}

}  // namespace

void Retries::Retry(const v1::RetryJobsRequest& request, const Call& call) {
  if (const absl::Status status = CheckRetryJobs(request); !status.ok()) {
    return call->Refuse(status);
  }
  LookAtBatch(
      parts_, &parts_.threads->intake, request.batch_id(),
      [request](const BatchSight& sight) { return ChooseJobs(sight.batch, request); },
      [this, request_id = request.request_id(), call](const absl::StatusOr<Chosen>& chosen) {
        if (!chosen.ok()) return call->Refuse(chosen.status());
        const ServerParts& server = parts_.server;
        const auto stager =
            std::make_shared<ShardStager>(server.store, server.engine->NewBatchId());
        auto submission = MakeSubmission(server, *chosen, request_id, stager.get());
        if (!submission.ok()) return call->Refuse(submission.status());
        Admit(parts_, *std::move(submission),
              [call, stager](const absl::StatusOr<v1::Batch>& batch) {
                stager->Answered(batch);
                Answer(batch, call.get());
              });
      });
}

}  // namespace jobrunner::rpc
