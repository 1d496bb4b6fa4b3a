// Remembers for as long as the process lives.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "engine/staged_shards.h"
#include "engine/store.h"

namespace jobrunner::storage {

// The store for tests, embedding and work that may be lost with the machine. Thread-safe. Commits
// are done when Commit returns, and every callback runs before the call that it answers returns.
class MemoryStore final : public engine::Store {
 public:
  MemoryStore() = default;

  bool durable() const override { return false; }
  absl::StatusOr<engine::Recovery> Recover() override { return engine::Recovery(); }
  void Commit(std::vector<engine::Write> writes, engine::Sync sync, CommitDone done) override
      ABSL_LOCKS_EXCLUDED(mutex_);
  // limits.memory_store_bytes is the engine's to keep.
  absl::Status CheckRoom() const override { return absl::OkStatus(); }
  void LoadShard(std::string_view batch_id, int32_t first_index, ShardDone done) override
      ABSL_LOCKS_EXCLUDED(mutex_);
  void ReadLog(std::string_view batch_id, int64_t after_sequence, int64_t bytes_max,
               PageDone done) override ABSL_LOCKS_EXCLUDED(mutex_);
  void FindBatch(std::string_view batch_id, BatchDone done) override;
  void ListFinished(const engine::BatchFilter& filter, std::string_view before_id,
                    int32_t page_size, ListDone done) override;
  void FindRequest(std::string_view request_id, RequestDone done) override;
  void FindExpired(base::WallTime now, int32_t max, ExpiredDone done) override;

 private:
  struct StoredBatch {
    std::vector<engine::Shard> shards;
    std::vector<std::shared_ptr<const engine::Segment>> segments;
    bool finished = false;
  };

  void Apply(engine::Append& append) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Apply(const engine::Remove& remove) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Requests are the engine's to remember.
  void Apply(const engine::ForgetRequest&) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {}
  void Apply(engine::StageShard& stage) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Apply(const engine::DropStaged& drop) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::shared_ptr<const std::string>> FindShard(std::string_view batch_id,
                                                               int32_t first_index)
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<engine::LogPage> FindPage(std::string_view batch_id, int64_t after_sequence,
                                           int64_t bytes_max) ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, StoredBatch> batches_ ABSL_GUARDED_BY(mutex_);
  engine::StagedShards staged_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobrunner::storage
