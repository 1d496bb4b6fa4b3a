// One execution of a job, as it passes between the engine and an executor.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "engine/shard_jobs.h"
#include "jobrunner/v1/event.pb.h"

namespace jobrunner::engine {

// A remote worker's session, or the server's own pool.
using WorkerId = uint64_t;
inline constexpr WorkerId kOwnPool = 0;

// Names one attempt for ever: `number` never repeats in an epoch, and each start of a server has a
// higher epoch. An outcome whose token is not that of a running attempt is refused. `slot` is where
// the engine keeps the attempt, so that it is found without a search.
struct AttemptToken {
  uint32_t epoch = 0;
  uint32_t slot = 0;
  uint64_t number = 0;

  friend bool operator==(const AttemptToken&, const AttemptToken&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const AttemptToken& token) {
    return H::combine(std::move(h), token.epoch, token.number);
  }
};

// An attempt to be started.
struct Assignment {
  AttemptToken token;
  // Keeps the job and its batch's description alive for as long as the executor needs them.
  std::shared_ptr<const ShardJobs> jobs;
  // The job's index in its batch.
  int32_t index = 0;
  // From 1.
  int32_t attempt = 1;
  // The engine will stop the attempt at the latest then; nullopt-like `max()` when nothing bounds
  // it. For the work to know (JOBRUNNER_DEADLINE, a handler's deadline()); executors set no timer
  // for it.
  base::SteadyTime deadline = base::SteadyTime::max();
  base::WallTime wall_deadline = base::WallTime::max();
  // JobOptions.stream_output.
  bool stream_output = false;
  // Where it is to run.
  WorkerId at = kOwnPool;

  const v1::Job& job() const { return jobs->job(index); }
  std::string_view batch_id() const { return jobs->batch_id(); }
};

// An attempt to be stopped: asked now, forced when the grace period has passed (0: forced at once).
// Asking again with a shorter grace shortens it; a longer one changes nothing.
struct StopOrder {
  AttemptToken token;
  std::chrono::nanoseconds grace{0};
  // Where it runs.
  WorkerId at = kOwnPool;
};

// What only commands have.
struct CommandOutcome {
  std::string error_output;
  int32_t exit_code = 0;
  int32_t signal = 0;
  int64_t output_bytes = 0;
  int64_t error_output_bytes = 0;
  int64_t output_omitted = 0;
  int64_t error_output_omitted = 0;
  std::chrono::nanoseconds user_time{0};
  std::chrono::nanoseconds system_time{0};
  int64_t max_resident_bytes = 0;
};

// What only HTTP requests have.
struct HttpOutcome {
  v1::HttpResponse response;
  // Of the body: Outcome.output has as many of them as are kept.
  bool output_truncated = false;
};

// What went wrong with an attempt, as the executor saw it. The engine adds deadlines and cancels:
// an executor reports what the work did, not why it was stopped.
struct Failure {
  int32_t code = 2;  // google.rpc.Code; UNKNOWN
  std::string message;
  v1::Reason reason = v1::REASON_HANDLER;
  bool critical = false;
  // The handler said that trying again is of no use, the command cannot be spawned, the HTTP
  // response or the configuration says no.
  bool final = false;
  // If it is tried again, not earlier than so long after now.
  std::chrono::nanoseconds retry_after{0};
};

// How an attempt ended. Exactly one for each Assignment.
struct Outcome {
  AttemptToken token;
  // "worker 3" is worker 3; 0: not known.
  int32_t worker = 0;
  // Who reports it.
  WorkerId at = kOwnPool;
  // The work ignored its stop past the grace and still holds its slot: SlotReturned follows when it
  // gives it back.
  bool abandoned = false;
  std::chrono::nanoseconds run_time{0};
  std::string output;
  // Null: it succeeded.
  std::unique_ptr<Failure> failure;
  // Null for other work.
  std::unique_ptr<CommandOutcome> command;
  // Null for other work, and where there was no answer.
  std::unique_ptr<HttpOutcome> http;
};

// A piece of what a running attempt wrote.
struct OutputChunk {
  AttemptToken token;
  std::string output;
  std::string error_output;
  bool truncated = false;
};

// What a handler says of how far it is.
struct ProgressReport {
  AttemptToken token;
  double fraction = 0;
  std::string message;
};

}  // namespace jobrunner::engine
