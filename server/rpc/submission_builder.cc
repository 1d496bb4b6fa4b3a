#include "rpc/submission_builder.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "rpc/message_bytes.h"
#include "rpc/status.h"

namespace jobrunner::rpc {

SubmissionBuilder::SubmissionBuilder(std::string batch_id, std::string request_id,
                                     const engine::ValidationLimits& limits,
                                     const engine::WorkCatalog& catalog)
    : SubmissionBuilder(std::move(batch_id), std::move(request_id), limits, catalog, nullptr,
                        std::min(limits.request_bytes_max, limits.batch_bytes_max),
                        engine::JobsFrom::kClient) {}

SubmissionBuilder::SubmissionBuilder(std::string batch_id, std::string request_id,
                                     const engine::ValidationLimits& limits,
                                     const engine::WorkCatalog& catalog, ShardStager* stager,
                                     engine::JobsFrom from)
    : SubmissionBuilder(std::move(batch_id), std::move(request_id), limits, catalog, stager,
                        limits.batch_bytes_max, from) {}

SubmissionBuilder::SubmissionBuilder(std::string batch_id, std::string request_id,
                                     const engine::ValidationLimits& limits,
                                     const engine::WorkCatalog& catalog, ShardStager* stager,
                                     int64_t bytes_max, engine::JobsFrom from)
    : stager_(stager),
      bytes_max_(bytes_max),
      validator_("batch", limits, catalog, &violations_, from),
      cutter_(
          batch_id, {.jobs_max = limits.jobs_per_batch_max, .bytes_max = bytes_max},
          [this](int32_t position, const v1::Job& job) { See(position, job); },
          [this](engine::SubmittedShard* shard) {
            return stager_ == nullptr ? absl::OkStatus() : stager_->Add(shard);
          }) {
  submission_.batch_id = std::move(batch_id);
  submission_.request_id = std::move(request_id);
  if (!submission_.request_id.empty()) fingerprint_.emplace();
}

void SubmissionBuilder::See(int32_t position, const v1::Job& job) {
  validator_.CheckJob(position, job);
  if (fingerprint_) fingerprint_->AddJob(job);
}

absl::Status SubmissionBuilder::ReadJob(google::protobuf::io::CodedInputStream* input) {
  int size = 0;
  if (!input->ReadVarintSizeAsInt(&size)) return MalformedRequest();
  const void* bytes = nullptr;
  int there = 0;
  if (input->GetDirectBufferPointer(&bytes, &there) && there >= size) {
    input->Skip(size);
    return AddJob({static_cast<const char*>(bytes), static_cast<size_t>(size)});
  }
  if (!input->ReadString(&torn_, size)) return MalformedRequest();
  return AddJob(torn_);
}

absl::Status SubmissionBuilder::CheckDescription(const v1::BatchSpec& spec) {
  validator_.CheckSpec(spec);
  return ToStatus(violations_);
}

absl::Status SubmissionBuilder::CheckJobs() {
  // Not that there is none: there may be some yet.
  if (cutter_.job_count() > 0) validator_.CheckCount(cutter_.job_count());
  validator_.CheckBytes(cutter_.bytes(), bytes_max_);
  return ToStatus(violations_);
}

absl::StatusOr<engine::Submission> SubmissionBuilder::Finish(v1::BatchSpec spec,
                                                             const std::string& parent_id) {
  ASSIGN_OR_RETURN(submission_.shards, cutter_.Finish());
  submission_.needs = cutter_.needs();
  validator_.CheckSpec(spec);
  validator_.CheckCount(cutter_.job_count());
  validator_.CheckBytes(cutter_.bytes(), bytes_max_);
  RETURN_IF_ERROR(ToStatus(violations_));
  if (stager_ != nullptr) stager_->HandOver(&submission_);
  submission_.spec = std::move(spec);
  if (!parent_id.empty()) submission_.spec.set_parent_id(parent_id);
  submission_.job_count = static_cast<int32_t>(cutter_.job_count());
  if (fingerprint_) submission_.fingerprint = fingerprint_->Finish(submission_.spec);
  return std::move(submission_);
}

}  // namespace jobrunner::rpc
