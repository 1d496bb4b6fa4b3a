// What is said of a batch once, when it is accepted.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {

// Immutable and shared: by the engine, the store and listeners.
struct BatchHeader {
  std::string id;
  std::string request_id;
  // Submission.fingerprint.
  std::string fingerprint;
  // The batch as submitted, without its jobs; queue is set.
  v1::BatchSpec spec;
  // job_defaults, and below it what the queue's configuration says: what a job that sets nothing
  // has.
  v1::JobOptions defaults;
  int32_t job_count = 0;
  // What its jobs need to run (NeedOf), each once. Empty: the server's own pool, as kept by those
  // that knew nothing else.
  std::vector<std::string> needs;
  base::WallTime create_time;
  // When timeout or the call's deadline ends it: base::WallTime::max() when neither does.
  base::WallTime deadline = base::WallTime::max();
  // Which of the two: REASON_BATCH_TIMEOUT or REASON_CALL_DEADLINE.
  v1::Reason deadline_reason = v1::REASON_UNSPECIFIED;
  // It lives no longer than its call (RunBatch): a restart ends it instead of going on.
  bool bound_to_call = false;
};

using BatchHeaderPtr = std::shared_ptr<const BatchHeader>;

}  // namespace jobrunner::engine
