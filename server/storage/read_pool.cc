#include "storage/read_pool.h"

#include <utility>

namespace jobrunner::storage {

ReadPool::ReadPool(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

ReadPool::~ReadPool() {
  {
    absl::MutexLock lock(&mutex_);
    ends_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void ReadPool::Run(std::function<void()> read) {
  absl::MutexLock lock(&mutex_);
  reads_.push_back(std::move(read));
}

void ReadPool::Work() {
  for (;;) {
    std::function<void()> read;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &ReadPool::HasWorkOrEnds));
      if (reads_.empty()) return;
      read = std::move(reads_.front());
      reads_.pop_front();
    }
    read();
  }
}

}  // namespace jobrunner::storage
