#include "support/faulty_store.h"

#include <utility>

namespace jobrunner::test {

void FaultyStore::Stall() {
  absl::MutexLock lock(&mutex_);
  fault_ = Fault::kStall;
}

void FaultyStore::Resume() {
  // Under the lock, so that no commit overtakes those that waited.
  absl::MutexLock lock(&mutex_);
  fault_ = Fault::kNone;
  for (Held& held : held_) {
    store_->Commit(std::move(held.writes), held.sync, std::move(held.done));
  }
  held_.clear();
}

void FaultyStore::Fail() {
  absl::MutexLock lock(&mutex_);
  fault_ = Fault::kFail;
}

void FaultyStore::AwaitHit(size_t count) {
  absl::MutexLock lock(&mutex_);
  const auto hit = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return hit_ >= count; };
  mutex_.Await(absl::Condition(&hit));
}

void FaultyStore::Commit(std::vector<engine::Write> writes, engine::Sync sync, CommitDone done) {
  {
    absl::MutexLock lock(&mutex_);
    hit_ += fault_ == Fault::kNone ? 0 : 1;
    if (fault_ == Fault::kNone) {
      return store_->Commit(std::move(writes), sync, std::move(done));
    }
    if (fault_ == Fault::kStall) {
      held_.push_back({std::move(writes), sync, std::move(done)});
      return;
    }
  }
  done(absl::DataLossError("the disk of this test has failed"));
}

}  // namespace jobrunner::test
