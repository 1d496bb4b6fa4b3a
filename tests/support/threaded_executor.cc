#include "support/threaded_executor.h"

#include <memory>
#include <utility>

namespace jobrunner::test {

ThreadedExecutor::ThreadedExecutor(engine::AttemptSink* sink, int threads, Report report)
    : sink_(*sink), report_(report) {
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
    if (assignment.stream_output) {
      sink_.Wrote({.token = assignment.token, .output = "some", .error_output = ""});
    }
    engine::Outcome outcome = Perform(assignment);
    if (report_ == Report::kByMail) {
      sink_.Finished(std::move(outcome));
    } else {
      std::vector<engine::Outcome> outcomes;
      outcomes.push_back(std::move(outcome));
      sink_.FinishedHere(std::move(outcomes));
    }
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
