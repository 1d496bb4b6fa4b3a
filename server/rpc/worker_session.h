// A remote worker's session: what its stream and the engine say to each other.

#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <functional>
#include <memory>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "engine/remote_workers.h"
#include "jobrunner/v1/worker_service.pb.h"
#include "rpc/assignment_table.h"
#include "rpc/order_queue.h"
#include "rpc/order_writer.h"
#include "rpc/worker_sessions.h"

namespace jobrunner::rpc {

// Translates between assignment ids and tokens, and holds the worker to the protocol; it decides
// nothing. Thread-safe; no call blocks.
//
// The stream that it belongs to reads and writes one message at a time. The writer is either busy,
// and takes one message after the other (NextMessage), or idle, and is woken.
class WorkerSession : public std::enable_shared_from_this<WorkerSession> {
 public:
  // `sessions` outlives it. `wake` is called on any thread when there is something to write while
  // the writer is idle; it must not block, nor call back.
  WorkerSession(WorkerSessions* sessions, std::function<void()> wake);

  // A message of the worker. An error ends the stream: INVALID_ARGUMENT, what WorkerSessions::Join
  // says, or RESOURCE_EXHAUSTED for one that sends and does not read.
  absl::Status Receive(v1::WorkRequest message) ABSL_LOCKS_EXCLUDED(mutex_);

  // The writer is idle from here on.
  struct Idle {};
  // The stream is to end with this.
  struct End {
    absl::Status status;
  };
  using Next = std::variant<Idle, grpc::ByteBuffer, End>;
  // For the writer.
  Next NextMessage() ABSL_LOCKS_EXCLUDED(mutex_);

  // The stream has ended: the worker may come back. After Receive and NextMessage.
  void Close() ABSL_LOCKS_EXCLUDED(mutex_);

  // From the engine, on its thread.
  void Order(engine::RemoteOrders orders);
  // The server drains.
  void Drain() ABSL_LOCKS_EXCLUDED(mutex_);

  // Calls `then` on the engine's thread when that has taken in what it was told so far.
  void AfterWhatWasTold(std::function<void()> then);

 private:
  // Ids that nobody knows wait to be answered; when they are more than this, the worker sends and
  // does not read.
  static constexpr size_t kUnknownMax = 10 * engine::kWorkerSlotsMax;

  absl::Status Take(v1::WorkRequest& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Join(const v1::WorkerHello& hello) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Take(const v1::WorkerSlots& slots) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Take(const v1::LeaseAnswer& answer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Take(const v1::WorkerLeave& leave) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Take(v1::AttemptOutput& output) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Take(v1::AttemptProgress& progress) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Take(v1::AttemptOutcomes& outcomes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  WorkerSessions& sessions_;
  const std::function<void()> wake_;
  OrderQueue queue_;
  // Then the engine is not to be told of the stream's end.
  std::atomic<bool> ended_by_engine_{false};

  absl::Mutex mutex_;
  // Its worker is kOwnPool before hello.
  WorkerSessions::Identity identity_ ABSL_GUARDED_BY(mutex_);
  AssignmentTable table_ ABSL_GUARDED_BY(mutex_);
  OrderWriter writer_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobrunner::rpc
