// From the cutter to the store, before there is a batch.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "engine/store.h"
#include "engine/submission.h"

namespace jobrunner::rpc {

// Stages the shards of one batch as they are cut, in commits of about kStagedBytesAtOnce, so that
// neither the batch nor any commit is ever in memory as a whole: one commit is being written while
// the next is gathered. Used on one thread, which it makes wait for the store.
class ShardStager {
 public:
  // `store` outlives it.
  ShardStager(engine::Store* store, std::string batch_id);
  // Drops what it staged, unless it was handed over.
  ~ShardStager();
  ShardStager(const ShardStager&) = delete;
  ShardStager& operator=(const ShardStager&) = delete;

  // Takes the shard's bytes away. Blocks while a commit is being written and the next one is full.
  // RESOURCE_EXHAUSTED with STORE_FULL while the store has no room; the store's error when it
  // fails.
  absl::Status Add(engine::SubmittedShard* shard);

  // The last shard was added: those that are not staged yet get their bytes back, and come to the
  // store with the batch, so that a small one takes one commit. From here on Answered decides what
  // becomes of the others; without an answer, as when the engine ends, the store's next start does.
  void HandOver(engine::Submission* submission);
  // What the submission with these shards was answered: they are the batch's if it was accepted,
  // and are dropped if it was refused, or had been accepted before.
  void Answered(const absl::StatusOr<v1::Batch>& batch);

  const std::string& batch_id() const { return batch_id_; }

 private:
  // What the store's thread sees, which may answer when the stager has gone.
  struct Commit {
    absl::Mutex mutex;
    bool under_way ABSL_GUARDED_BY(mutex) = false;
    absl::Status status ABSL_GUARDED_BY(mutex);
  };

  void Stage();
  void Drop();
  // Blocks until no commit is under way; how the last one ended.
  absl::Status AwaitCommit();

  engine::Store& store_;
  const std::string batch_id_;
  const std::shared_ptr<Commit> commit_ = std::make_shared<Commit>();
  // The last shards that were added.
  std::vector<engine::Shard> gathered_;
  int64_t gathered_bytes_ = 0;
  int64_t staged_bytes_ = 0;
  bool handed_over_ = false;
};

}  // namespace jobrunner::rpc
