#include "rpc/stored_jobs.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "base/status_macros.h"
#include "engine/serialized_jobs.h"

namespace jobrunner::rpc {
namespace {

// Calls ask(done) and waits for what `done` is called with.
template <typename Answer, typename Ask>
absl::StatusOr<Answer> Wait(Ask ask) {
  absl::Notification answered;
  absl::StatusOr<Answer> answer = absl::UnknownError("no answer");
  ask([&](absl::StatusOr<Answer> given) {
    answer = std::move(given);
    answered.Notify();
  });
  answered.WaitForNotification();
  return answer;
}

}  // namespace

absl::Status StoredJobs::Load(int32_t shard_first_index) {
  if (shard_first_index == loaded_first_index_) return absl::OkStatus();
  ASSIGN_OR_RETURN(shard_, Wait<std::shared_ptr<const std::string>>([&](auto done) {
                     store_->LoadShard(batch_id_, shard_first_index, std::move(done));
                   }));
  loaded_first_index_ = shard_first_index;
  jobs_.clear();
  engine::SerializedJobs jobs(*shard_);
  while (const auto job = jobs.Next()) jobs_.push_back(*job);
  return absl::OkStatus();
}

absl::StatusOr<v1::Job> StoredJobs::JobAt(int32_t index, int32_t shard_first_index) {
  RETURN_IF_ERROR(Load(shard_first_index));
  const auto position = static_cast<size_t>(index - shard_first_index);
  v1::Job job;
  if (position >= jobs_.size() ||
      !job.ParseFromArray(jobs_[position].data(), static_cast<int>(jobs_[position].size()))) {
    return absl::DataLossError(absl::StrCat("job ", index, " cannot be read"));
  }
  return job;
}

absl::StatusOr<std::string> StoredJobs::KeyOf(int32_t index, int32_t shard_first_index) {
  RETURN_IF_ERROR(Load(shard_first_index));
  const auto position = static_cast<size_t>(index - shard_first_index);
  if (position >= jobs_.size()) return absl::DataLossError(absl::StrCat("there is no job ", index));
  return std::string(engine::KeyOfSerializedJob(jobs_[position]));
}

absl::StatusOr<int32_t> StoredJobs::Find(std::string_view key,
                                         const std::vector<int32_t>& shard_first_indexes) {
  for (const int32_t first_index : shard_first_indexes) {
    RETURN_IF_ERROR(Load(first_index));
    for (size_t i = 0; i < jobs_.size(); ++i) {
      if (engine::KeyOfSerializedJob(jobs_[i]) == key) return first_index + static_cast<int32_t>(i);
    }
  }
  return -1;
}

absl::StatusOr<v1::JobResult> StoredJobs::ResultAt(int64_t sequence) {
  ASSIGN_OR_RETURN(const engine::LogPage page, Wait<engine::LogPage>([&](auto done) {
                     store_->ReadLog(batch_id_, sequence - 1, 1, std::move(done));
                   }));
  for (const auto& segment : page.segments) {
    if (sequence < segment->first_sequence() || sequence > segment->last_sequence()) continue;
    v1::Event event = segment->EventAt(sequence);
    return std::move(*event.mutable_result());
  }
  return absl::DataLossError(absl::StrCat("event ", sequence, " cannot be read"));
}

}  // namespace jobrunner::rpc
