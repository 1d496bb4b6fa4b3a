#include "workers/recording_sink.h"

#include <utility>

namespace jobrunner::workers {
namespace {

template <class T>
bool HasOne(std::deque<T>* queue) {
  return !queue->empty();
}

// Waits, with `mutex` held, until there is one.
template <class T>
T TakeFront(absl::Mutex& mutex, std::deque<T>& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  mutex.Await(absl::Condition(&HasOne<T>, &queue));
  T front = std::move(queue.front());
  queue.pop_front();
  return front;
}

}  // namespace

void RecordingSink::Finished(engine::Outcome outcome) {
  absl::MutexLock lock(&mutex_);
  outcomes_.push_back(std::move(outcome));
}

void RecordingSink::Finished(std::vector<engine::Outcome> outcomes) {
  for (engine::Outcome& outcome : outcomes) Finished(std::move(outcome));
}

void RecordingSink::SlotReturned(engine::AttemptToken token) {
  absl::MutexLock lock(&mutex_);
  returned_.push_back(token);
}

void RecordingSink::Wrote(engine::OutputChunk chunk) {
  absl::MutexLock lock(&mutex_);
  chunks_.push_back(std::move(chunk));
}

void RecordingSink::Progressed(engine::ProgressReport report) {
  absl::MutexLock lock(&mutex_);
  reports_.push_back(std::move(report));
}

engine::Outcome RecordingSink::TakeOutcome() {
  absl::MutexLock lock(&mutex_);
  return TakeFront(mutex_, outcomes_);
}

std::vector<engine::Outcome> RecordingSink::TakeOutcomes(int count) {
  std::vector<engine::Outcome> outcomes;
  for (int i = 0; i < count; ++i) outcomes.push_back(TakeOutcome());
  return outcomes;
}

engine::AttemptToken RecordingSink::TakeReturned() {
  absl::MutexLock lock(&mutex_);
  return TakeFront(mutex_, returned_);
}

engine::OutputChunk RecordingSink::TakeChunk() {
  absl::MutexLock lock(&mutex_);
  return TakeFront(mutex_, chunks_);
}

engine::ProgressReport RecordingSink::TakeReport() {
  absl::MutexLock lock(&mutex_);
  return TakeFront(mutex_, reports_);
}

std::vector<engine::OutputChunk> RecordingSink::chunks() const {
  absl::MutexLock lock(&mutex_);
  return {chunks_.begin(), chunks_.end()};
}

int RecordingSink::outcome_count() const {
  absl::MutexLock lock(&mutex_);
  return static_cast<int>(outcomes_.size());
}

}  // namespace jobrunner::workers
