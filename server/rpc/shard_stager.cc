#include "rpc/shard_stager.h"

#include <iterator>
#include <utility>

#include "base/status_macros.h"
#include "engine/limits.h"
#include "rpc/admission.h"

namespace jobrunner::rpc {

ShardStager::ShardStager(engine::Store* store, std::string batch_id)
    : store_(*store), batch_id_(std::move(batch_id)) {}

ShardStager::~ShardStager() {
  if (!handed_over_) Drop();
}

void ShardStager::HandOver(engine::Submission* submission) {
  auto with_batch = submission->shards.end() - std::ssize(gathered_);
  for (engine::Shard& shard : gathered_) (with_batch++)->shard.bytes = std::move(shard.bytes);
  gathered_.clear();
  submission->staged_bytes = staged_bytes_;
  handed_over_ = true;
}

void ShardStager::Answered(const absl::StatusOr<v1::Batch>& batch) {
  const bool taken_over = batch.ok() && batch->id() == batch_id_;
  if (!taken_over) Drop();
}

void ShardStager::Drop() {
  if (staged_bytes_ == 0) return;
  // Nobody waits for it: what a crash keeps of it the next start drops.
  store_.Commit({engine::DropStaged{batch_id_}}, engine::Sync::kWithNext, [](absl::Status) {});
}

absl::Status ShardStager::Add(engine::SubmittedShard* shard) {
  gathered_bytes_ += static_cast<int64_t>(shard->shard.bytes->size());
  gathered_.push_back(shard->shard);
  shard->shard.bytes.reset();
  if (gathered_bytes_ < engine::kStagedBytesAtOnce) return absl::OkStatus();
  RETURN_IF_ERROR(CheckRoom(store_));
  RETURN_IF_ERROR(AwaitCommit());
  Stage();
  return absl::OkStatus();
}

void ShardStager::Stage() {
  std::vector<engine::Write> writes;
  for (engine::Shard& shard : gathered_) {
    writes.emplace_back(engine::StageShard{batch_id_, std::move(shard)});
  }
  gathered_.clear();
  staged_bytes_ += std::exchange(gathered_bytes_, 0);
  {
    absl::MutexLock lock(&commit_->mutex);
    commit_->under_way = true;
  }
  // Stable as it comes, so that the commit that makes the batch has no backlog to wait for.
  store_.Commit(std::move(writes), engine::Sync::kNow, [commit = commit_](absl::Status status) {
    absl::MutexLock lock(&commit->mutex);
    commit->under_way = false;
    commit->status.Update(status);
  });
}

absl::Status ShardStager::AwaitCommit() {
  Commit& commit = *commit_;
  absl::MutexLock lock(&commit.mutex);
  const auto written = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit.mutex) {
    return !commit.under_way;
  };
  commit.mutex.Await(absl::Condition(&written));
  return commit.status;
}

}  // namespace jobrunner::rpc
