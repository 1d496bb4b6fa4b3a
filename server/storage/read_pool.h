// The threads that read.

#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace jobrunner::storage {

// A few threads that carry out what would block others, in the order in which it was given.
// Thread-safe. The queue is bounded by who reads: a stream asks for one page at a time.
class ReadPool {
 public:
  explicit ReadPool(int threads);
  // Blocks until all that was given is done.
  ~ReadPool();
  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  // Does not block.
  void Run(std::function<void()> read) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasWorkOrEnds() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !reads_.empty() || ends_;
  }

  absl::Mutex mutex_;
  std::deque<std::function<void()>> reads_ ABSL_GUARDED_BY(mutex_);
  bool ends_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace jobrunner::storage
