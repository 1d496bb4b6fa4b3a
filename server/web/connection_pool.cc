#include "web/connection_pool.h"

#include <algorithm>
#include <utility>

namespace jobrunner::web {

ConnectionPool::ConnectionPool(Options options, int stop_fd, Serve serve)
    : options_(options), stop_fd_(stop_fd), serve_(std::move(serve)) {
  for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { Run(); });
}

ConnectionPool::~ConnectionPool() { Stop(); }

void ConnectionPool::Add(int fd) {
  const auto deadline = std::chrono::steady_clock::now() + options_.timeout;
  auto stream = std::make_unique<PeerStream>(fd, stop_fd_, deadline, [this] {
    absl::MutexLock lock(&mutex_);
    MakeRoom();
  });
  absl::MutexLock lock(&mutex_);
  if (stopped_ || waiting_.size() >= options_.waiting_max) return;
  waiting_.push_back(std::move(stream));
  MakeRoom();
}

void ConnectionPool::MakeRoom() {
  if (waiting_.size() + serving_.size() <= static_cast<size_t>(options_.threads)) return;
  const auto slowest = std::find_if(serving_.begin(), serving_.end(),
                                    [](const PeerStream* stream) { return stream->waiting(); });
  // None: every thread is at work, and is done or waits for its peer soon, when this is called
  // again.
  if (slowest == serving_.end()) return;
  (*slowest)->Interrupt();
  serving_.erase(slowest);
}

bool ConnectionPool::HasWork() const { return stopped_ || !waiting_.empty(); }

void ConnectionPool::Run() {
  absl::MutexLock lock(&mutex_);
  while (true) {
    mutex_.Await(absl::Condition(this, &ConnectionPool::HasWork));
    if (stopped_) return;
    std::unique_ptr<PeerStream> stream = std::move(waiting_.front());
    waiting_.pop_front();
    serving_.push_back(stream.get());
    mutex_.Unlock();
    serve_(*stream);
    mutex_.Lock();
    serving_.erase(std::remove(serving_.begin(), serving_.end(), stream.get()), serving_.end());
  }
}

void ConnectionPool::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    waiting_.clear();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace jobrunner::web
