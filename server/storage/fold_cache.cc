#include "storage/fold_cache.h"

#include <algorithm>
#include <utility>

namespace jobrunner::storage {
namespace {

// A batch of one job takes memory too.
constexpr size_t kFoldsMax = 64;

}  // namespace

std::shared_ptr<const engine::Batch> FoldCache::Find(const std::string& batch_id) {
  absl::MutexLock lock(&mutex_);
  const auto found = std::find_if(folds_.begin(), folds_.end(),
                                  [&](const auto& batch) { return batch->id() == batch_id; });
  if (found == folds_.end()) return nullptr;
  folds_.splice(folds_.begin(), folds_, found);
  return folds_.front();
}

void FoldCache::Keep(std::shared_ptr<const engine::Batch> batch) {
  if (batch->job_count() > jobs_max_) return;
  absl::MutexLock lock(&mutex_);
  jobs_ += batch->job_count();
  folds_.push_front(std::move(batch));
  while (jobs_ > jobs_max_ || folds_.size() > kFoldsMax) {
    jobs_ -= folds_.back()->job_count();
    folds_.pop_back();
  }
}

}  // namespace jobrunner::storage
