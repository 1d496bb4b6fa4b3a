#pragma once

#include <deque>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/executor.h"

namespace jobrunner::workers {

// Keeps what an executor reports, for a test to wait for. Any thread may call it.
class RecordingSink final : public engine::AttemptSink {
 public:
  void Finished(engine::Outcome outcome) override ABSL_LOCKS_EXCLUDED(mutex_);
  void Finished(std::vector<engine::Outcome> outcomes) override;
  void SlotReturned(engine::AttemptToken token) override ABSL_LOCKS_EXCLUDED(mutex_);
  void Wrote(engine::OutputChunk chunk) override ABSL_LOCKS_EXCLUDED(mutex_);
  void Progressed(engine::ProgressReport report) override ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits for the next outcome, and takes it.
  engine::Outcome TakeOutcome() ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for so many more.
  std::vector<engine::Outcome> TakeOutcomes(int count);
  // Waits for the next of the attempt's slots that come back.
  engine::AttemptToken TakeReturned() ABSL_LOCKS_EXCLUDED(mutex_);
  engine::OutputChunk TakeChunk() ABSL_LOCKS_EXCLUDED(mutex_);
  engine::ProgressReport TakeReport() ABSL_LOCKS_EXCLUDED(mutex_);

  // What is there and was not taken.
  std::vector<engine::OutputChunk> chunks() const ABSL_LOCKS_EXCLUDED(mutex_);
  int outcome_count() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  std::deque<engine::Outcome> outcomes_ ABSL_GUARDED_BY(mutex_);
  std::deque<engine::AttemptToken> returned_ ABSL_GUARDED_BY(mutex_);
  std::deque<engine::OutputChunk> chunks_ ABSL_GUARDED_BY(mutex_);
  std::deque<engine::ProgressReport> reports_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobrunner::workers
