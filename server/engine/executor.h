// The port through which the engine has attempts run.

#pragma once

#include <cstdint>
#include <vector>

#include "engine/attempt.h"

namespace jobrunner::engine {

// Where an executor reports. Any thread may call it; no call blocks. Reports of one attempt arrive
// in the order of the calls. The executor must have ended before the sink does.
class AttemptSink {
 public:
  virtual ~AttemptSink() = default;

  // Exactly once for each attempt that was started. When a command's outcome is reported, nothing
  // it started is alive.
  virtual void Finished(Outcome outcome) = 0;
  // As Finished, of many at once: cheaper.
  virtual void Finished(std::vector<Outcome> outcomes) = 0;
  // As Finished, where the calling thread has nothing better to do and holds no lock: an engine
  // that is idle goes on at once, on this thread, and calls the executor from here. It spares what
  // comes next a change of threads.
  virtual void FinishedHere(std::vector<Outcome> outcomes) { Finished(std::move(outcomes)); }
  // A slot that an abandoned attempt held is free again.
  virtual void SlotReturned(AttemptToken token) = 0;
  virtual void Wrote(OutputChunk chunk) = 0;
  virtual void Progressed(ProgressReport report) = 0;
};

struct PoolBounds {
  int32_t min = 0;
  int32_t max = 0;
};

struct ExecutorStatistics {
  PoolBounds bounds;
  // Slots there are now, between min and max.
  int32_t slots = 0;
  int32_t busy = 0;
};

// Runs attempts. The engine never has more of them at once than the bounds' max, so a started
// attempt starts at once.
//
// Start, Stop and Resize are called in the engine's turn, one at a time, and do not block.
class Executor {
 public:
  virtual ~Executor() = default;

  // Takes the attempts over; each will have exactly one Outcome, whatever happens.
  virtual void Start(std::vector<Assignment> assignments) = 0;

  // Asks attempts to stop, and forces them after their grace. One that has ended already is
  // ignored.
  virtual void Stop(const std::vector<StopOrder>& orders) = 0;

  // What runs beyond a smaller maximum goes on to its end.
  virtual void Resize(PoolBounds bounds) = 0;

  // Any thread.
  virtual ExecutorStatistics Statistics() const = 0;
};

}  // namespace jobrunner::engine
