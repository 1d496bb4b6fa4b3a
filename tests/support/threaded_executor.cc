#include "support/threaded_executor.h"

#include <memory>
#include <utility>

namespace jobrunner::test {

ThreadedExecutor::ThreadedExecutor(engine::AttemptSink* sink, int threads) : sink_(*sink) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

ThreadedExecutor::~ThreadedExecutor() {
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void ThreadedExecutor::Start(std::vector<engine::Assignment> assignments) {
  absl::MutexLock lock(&mutex_);
  for (engine::Assignment& assignment : assignments) waiting_.push_back(std::move(assignment));
}

void ThreadedExecutor::Stop(const std::vector<engine::StopOrder>& orders) {
  absl::MutexLock lock(&mutex_);
  for (const engine::StopOrder& order : orders) stopped_.insert(order.token.number);
}

void ThreadedExecutor::Run() {
  for (;;) {
    engine::Assignment assignment;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &ThreadedExecutor::HasWork));
      if (waiting_.empty()) return;
      assignment = std::move(waiting_.front());
      waiting_.pop_front();
    }
    sink_.Finished(Perform(assignment));
  }
}

engine::Outcome ThreadedExecutor::Perform(const engine::Assignment& assignment) {
  engine::Outcome outcome;
  outcome.token = assignment.token;
  outcome.worker = 1;
  if (assignment.job().handler().name() != "wait") return outcome;
  absl::MutexLock lock(&mutex_);
  const auto stopped = [this, &assignment] {
    mutex_.AssertHeld();
    return ended_ || stopped_.contains(assignment.token.number);
  };
  mutex_.Await(absl::Condition(&stopped));
  outcome.failure = std::make_unique<engine::Failure>();
  return outcome;
}

}  // namespace jobrunner::test
