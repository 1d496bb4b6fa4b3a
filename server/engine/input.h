// What the engine is told.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/attempt.h"
#include "engine/executor.h"
#include "engine/queue_settings.h"
#include "engine/remote_workers.h"
#include "engine/store.h"
#include "engine/submission.h"

namespace jobrunner::engine {

class Engine;

// How the engine answers. Called on the engine's thread, when what it says is durable; must not
// block.
using BatchReply = std::function<void(absl::StatusOr<v1::Batch>)>;

struct Submit {
  // Apart, because it is large and most inputs are small.
  std::unique_ptr<Submission> submission;
  // The accepted batch; `replayed` says that request_id was known and nothing new was accepted.
  std::function<void(absl::StatusOr<v1::Batch>, bool replayed)> reply;
};

struct Cancel {
  std::string batch_id;
  // Empty: the whole batch.
  std::vector<int32_t> indexes;
  v1::Reason reason = v1::REASON_CLIENT_CANCEL;
  std::string message;
  std::chrono::nanoseconds grace{0};
  // May be null.
  BatchReply reply;
};

// A look at the engine's state, on its thread; short. What it returns is called once what it saw is
// durable.
struct Query {
  std::function<std::function<void()>(const Engine&)> look;
};

// Readers with cancel_on_disconnect: one came (+1) or went (-1).
struct DisconnectWatch {
  std::string batch_id;
  int32_t change = 0;
};

struct PauseQueue {
  std::string queue;
  bool paused = false;
  std::function<void(absl::Status)> reply;
};

struct ResizePool {
  PoolBounds bounds;
  std::function<void()> reply;
};

// Replaces the settings of all queues. Jobs of a queue that is no longer there go on with the
// limits it had.
struct ReconfigureQueues {
  std::vector<QueueSettings> queues;
};

struct Drain {
  std::chrono::nanoseconds grace{0};
  // Called once, when no attempt runs and what had to be stored is.
  std::function<void()> drained;
};

// Removes a finished batch, for good. NOT_FOUND (of a store that is not durable), or
// FAILED_PRECONDITION with BATCH_RUNNING. With a durable store the caller has seen there that the
// batch exists and has finished.
struct Delete {
  std::string batch_id;
  std::function<void(absl::Status)> reply;
};

// The answer to effect FindExpired.
struct FoundExpired {
  absl::StatusOr<Expired> expired;
};

struct SlotReturned {
  AttemptToken token;
};

struct Committed {
  uint64_t ticket = 0;
};

struct ShardLoaded {
  std::string batch_id;
  int32_t first_index = 0;
  absl::StatusOr<std::shared_ptr<const ShardJobs>> jobs;
};

using Input = std::variant<Submit, Outcome, std::vector<Outcome>, Committed, Cancel, ShardLoaded,
                           OutputChunk, ProgressReport, SlotReturned, Query, DisconnectWatch,
                           PauseQueue, ResizePool, ReconfigureQueues, Drain, Delete, FoundExpired,
                           WorkerJoin, WorkerResize, WorkerAnswer, WorkerLeaving, WorkerGone>;

}  // namespace jobrunner::engine
