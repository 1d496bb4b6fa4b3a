#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/store.h"

namespace jobrunner::test {

// A store in front of another, whose commits stall or fail. Faults: Stall, Fail. Thread-safe.
class FaultyStore final : public engine::Store {
 public:
  explicit FaultyStore(std::unique_ptr<engine::Store> store) : store_(std::move(store)) {}

  // From here on commits wait, until Resume passes them on in their order.
  void Stall() ABSL_LOCKS_EXCLUDED(mutex_);
  void Resume() ABSL_LOCKS_EXCLUDED(mutex_);
  // From here on commits are answered with an error, and store nothing.
  void Fail() ABSL_LOCKS_EXCLUDED(mutex_);
  // Blocks until so many commits wait, or have failed.
  void AwaitHit(size_t count) ABSL_LOCKS_EXCLUDED(mutex_);

  bool durable() const override { return store_->durable(); }
  absl::StatusOr<engine::Recovery> Recover() override { return store_->Recover(); }
  void Commit(std::vector<engine::Write> writes, engine::Sync sync, CommitDone done) override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status CheckRoom() const override { return store_->CheckRoom(); }
  void LoadShard(std::string_view batch_id, int32_t first_index, ShardDone done) override {
    store_->LoadShard(batch_id, first_index, std::move(done));
  }
  void ReadLog(std::string_view batch_id, int64_t after_sequence, int64_t bytes_max,
               PageDone done) override {
    store_->ReadLog(batch_id, after_sequence, bytes_max, std::move(done));
  }
  void FindBatch(std::string_view batch_id, BatchDone done) override {
    store_->FindBatch(batch_id, std::move(done));
  }
  void ListFinished(const engine::BatchFilter& filter, std::string_view before_id,
                    int32_t page_size, ListDone done) override {
    store_->ListFinished(filter, before_id, page_size, std::move(done));
  }
  void FindRequest(std::string_view request_id, RequestDone done) override {
    store_->FindRequest(request_id, std::move(done));
  }
  void FindExpired(base::WallTime now, int32_t max, ExpiredDone done) override {
    store_->FindExpired(now, max, std::move(done));
  }

 private:
  enum class Fault { kNone, kStall, kFail };
  struct Held {
    std::vector<engine::Write> writes;
    engine::Sync sync;
    CommitDone done;
  };

  const std::unique_ptr<engine::Store> store_;
  absl::Mutex mutex_;
  Fault fault_ ABSL_GUARDED_BY(mutex_) = Fault::kNone;
  std::deque<Held> held_ ABSL_GUARDED_BY(mutex_);
  size_t hit_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace jobrunner::test
