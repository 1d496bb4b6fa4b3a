// Who wants to see events of all batches: the error channel, the job log.

#pragma once

#include "engine/batch_header.h"
#include "jobrunner/v1/event.pb.h"

namespace jobrunner::engine {

// Called on the engine's thread once an event is stored, in the order of each batch's sequence.
// Must not block.
class EventListener {
 public:
  enum class Interest {
    kNothing,
    // Failed attempts, failed jobs, jobs that their own deadline ended.
    kFailures,
    // These and every other result, and BatchFinished.
    kResults,
  };

  virtual ~EventListener() = default;

  // Asked before each event is kept for it: cheap, any time.
  virtual Interest interest() const = 0;

  // `failure`: one of those that kFailures asks for. A listener may be told of more than it wants,
  // because others want it.
  virtual void Happened(const BatchHeader& batch, const v1::Event& event, bool failure) = 0;
};

}  // namespace jobrunner::engine
