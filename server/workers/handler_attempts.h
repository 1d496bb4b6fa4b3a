#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "engine/executor.h"
#include "workers/handler_attempt.h"

namespace jobrunner::workers {

// The attempts at handlers' jobs that have not ended, and which of them are to stop by when. It
// reports the outcomes, so that an attempt that ends and its abandonment cannot cross.
//
// Any thread may call it; nothing blocks.
class HandlerAttempts {
 public:
  explicit HandlerAttempts(engine::AttemptSink* sink) : sink_(sink) {}

  void Add(const std::vector<std::unique_ptr<HandlerAttempt>>& attempts)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Marks the attempts as asked to stop, to be abandoned at now + grace at the latest. The caller
  // requests the stop of the sources, which runs code of handlers.
  std::vector<std::stop_source> MarkStopped(const std::vector<engine::StopOrder>& orders,
                                            base::SteadyTime now) ABSL_LOCKS_EXCLUDED(mutex_);
  // The same for all there are, to be abandoned when the caller says so.
  std::vector<std::stop_source> MarkAllStopped() ABSL_LOCKS_EXCLUDED(mutex_);

  // When the next attempt is to be abandoned; SteadyTime::max() when none is.
  base::SteadyTime NextForced() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Abandons what was to have ended by `now`: reports the outcomes. Returns how many.
  int AbandonOverdue(base::SteadyTime now) ABSL_LOCKS_EXCLUDED(mutex_);

  // Abandons everything; from here on nothing is reported but the outcomes of attempts that are in
  // End already. Returns how many were abandoned now.
  int AbandonAll() ABSL_LOCKS_EXCLUDED(mutex_);

  // The attempt came to its end: reports the outcome, or, if it had been abandoned, that its slot
  // is free again, and returns false.
  bool End(engine::Outcome outcome) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry {
    // Owned by the queue or by the thread that performs it, which ends it here first.
    HandlerAttempt* attempt;
    // Abandoned at this time; max() while no stop was asked.
    base::SteadyTime forced = base::SteadyTime::max();
    bool abandoned = false;
  };

  // Whether it had not been already.
  bool Abandon(Entry& entry, base::SteadyTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  // Null when nothing is reported any more.
  engine::AttemptSink* sink_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<engine::AttemptToken, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  // By `forced`. What has ended, or was given a shorter grace later, stays in it until its time.
  std::multimap<base::SteadyTime, engine::AttemptToken> stopping_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobrunner::workers
