#pragma once

#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "engine/executor.h"

namespace jobrunner::test {

// Runs attempts on threads of its own: the handler "wait" until it is stopped, any other at once
// and with success, after some output if the job streams it. At its end what runs is stopped.
class ThreadedExecutor final : public engine::Executor {
 public:
  enum class Report { kByMail, kHere };

  ThreadedExecutor(engine::AttemptSink* sink, int threads, Report report = Report::kByMail);
  ~ThreadedExecutor() override;

  void Start(std::vector<engine::Assignment> assignments) override ABSL_LOCKS_EXCLUDED(mutex_);
  void Stop(const std::vector<engine::StopOrder>& orders) override ABSL_LOCKS_EXCLUDED(mutex_);
  void Resize(engine::PoolBounds) override {}
  engine::ExecutorStatistics Statistics() const override { return {}; }

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  engine::Outcome Perform(const engine::Assignment& assignment) ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ended_ || !waiting_.empty(); }

  engine::AttemptSink& sink_;
  const Report report_;
  absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<engine::Assignment> waiting_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<uint64_t> stopped_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace jobrunner::test
