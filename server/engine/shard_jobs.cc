#include "engine/shard_jobs.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/array_jobs.h"

namespace jobrunner::engine {

ShardJobs::ShardJobs(std::string batch_id, int32_t first_index)
    : batch_id_(std::move(batch_id)),
      first_index_(first_index),
      spec_(google::protobuf::Arena::CreateMessage<v1::BatchSpec>(&arena_)) {}

absl::StatusOr<std::shared_ptr<const ShardJobs>> ShardJobs::Parse(std::string batch_id,
                                                                  int32_t first_index,
                                                                  std::string_view bytes) {
  std::shared_ptr<ShardJobs> jobs(new ShardJobs(std::move(batch_id), first_index));
  if (!jobs->spec_->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError(
        absl::StrCat("the jobs from index ", first_index, " do not parse as a BatchSpec"));
  }
  jobs->ExpandArrays();
  return jobs;
}

std::shared_ptr<const ShardJobs> ShardJobs::OfOne(std::string batch_id, int32_t index,
                                                  absl::FunctionRef<void(v1::Job* job)> fill) {
  std::shared_ptr<ShardJobs> jobs(new ShardJobs(std::move(batch_id), index));
  fill(jobs->spec_->add_jobs());
  return jobs;
}

void ShardJobs::ExpandArrays() {
  const auto& described = spec_->jobs();
  if (std::none_of(described.begin(), described.end(), IsArray)) return;
  auto* const expanded = google::protobuf::Arena::CreateMessage<v1::BatchSpec>(&arena_);
  for (const v1::Job& job : described) {
    if (!IsArray(job)) *expanded->add_jobs() = job;
    for (int32_t i = 0; i < job.count(); ++i) {
      ExpandElement(job, job.array_begin() + i, expanded->add_jobs());
    }
  }
  spec_ = expanded;
}

}  // namespace jobrunner::engine
