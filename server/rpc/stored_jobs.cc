#include "rpc/stored_jobs.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "base/status_macros.h"
#include "engine/array_jobs.h"
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

bool Parse(std::string_view bytes, v1::Job* job) {
  return job->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
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
  while (const auto bytes = jobs.Next()) {
    if (engine::CountOfSerializedJob(*bytes) == 0) {
      jobs_.push_back({.bytes = *bytes});
      continue;
    }
    v1::Job slice;
    if (!Parse(*bytes, &slice)) return absl::DataLossError("a shard cannot be read");
    for (int32_t i = 0; i < slice.count(); ++i) {
      jobs_.push_back({.bytes = *bytes, .element = slice.array_begin() + i});
    }
  }
  return absl::OkStatus();
}

std::string StoredJobs::KeyOf(const Stored& job) {
  std::string key(engine::KeyOfSerializedJob(job.bytes));
  if (job.element >= 0 && !key.empty()) absl::StrAppend(&key, "[", job.element, "]");
  return key;
}

absl::StatusOr<v1::Job> StoredJobs::JobAt(int32_t index, int32_t shard_first_index) {
  RETURN_IF_ERROR(Load(shard_first_index));
  const auto position = static_cast<size_t>(index - shard_first_index);
  v1::Job described;
  if (position >= jobs_.size() || !Parse(jobs_[position].bytes, &described)) {
    return absl::DataLossError(absl::StrCat("job ", index, " cannot be read"));
  }
  if (jobs_[position].element < 0) return described;
  v1::Job job;
  engine::ExpandElement(described, jobs_[position].element, &job);
  return job;
}

absl::StatusOr<std::string> StoredJobs::KeyOf(int32_t index, int32_t shard_first_index) {
  RETURN_IF_ERROR(Load(shard_first_index));
  const auto position = static_cast<size_t>(index - shard_first_index);
  if (position >= jobs_.size()) return absl::DataLossError(absl::StrCat("there is no job ", index));
  return KeyOf(jobs_[position]);
}

absl::StatusOr<int32_t> StoredJobs::Find(std::string_view key,
                                         const std::vector<int32_t>& shard_first_indexes) {
  for (const int32_t first_index : shard_first_indexes) {
    RETURN_IF_ERROR(Load(first_index));
    for (size_t i = 0; i < jobs_.size(); ++i) {
      if (KeyOf(jobs_[i]) == key) return first_index + static_cast<int32_t>(i);
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
