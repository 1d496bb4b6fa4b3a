// Finished batches that were looked at lately.

#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/batch.h"

namespace jobrunner::storage {

// The folds of a few batches, as many as have so many jobs together. Thread-safe.
class FoldCache {
 public:
  explicit FoldCache(int64_t jobs_max) : jobs_max_(jobs_max) {}

  // Null when it is not here.
  std::shared_ptr<const engine::Batch> Find(const std::string& batch_id)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Those that were not looked at for longest make room; a batch that is too large is not kept.
  void Keep(std::shared_ptr<const engine::Batch> batch) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const int64_t jobs_max_;
  absl::Mutex mutex_;
  // Few, each worth many jobs: looking through them is quick. The last one looked at is in front.
  std::list<std::shared_ptr<const engine::Batch>> folds_ ABSL_GUARDED_BY(mutex_);
  int64_t jobs_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace jobrunner::storage
