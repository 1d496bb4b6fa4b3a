// A remote worker's stream.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "rpc/dispatcher.h"
#include "rpc/stream_life.h"
#include "rpc/worker_session.h"

namespace jobrunner::rpc {

// Carries messages between gRPC and the session. Reads one, and the next when that is dealt with;
// writes one, and the next when that is through: so what waits, waits in the session, where it can
// still be put together. Thread-safe.
class WorkerStream final : public DuplexStream {
 public:
  struct Parts {
    WorkerSessions* sessions = nullptr;
    // Writes what the engine wants written.
    Dispatcher* dispatcher = nullptr;
    OpenCalls* calls = nullptr;
  };
  // Parts outlive it.
  explicit WorkerStream(const Parts& parts) : DuplexStream(parts.calls), parts_(parts) {}

  // Once, after Begin: from here on it reads.
  void Serve();

  Kind kind() const override { return Kind::kWorker; }

  void OnReadDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // What a worker has sent and the engine's thread has not taken in: each so many bytes that is
  // looked at, and up to so many the worker's next message is read.
  static constexpr int64_t kLookBytes = 1 << 20;
  static constexpr int64_t kNotTakenInMax = 4 << 20;

  void WriteDone() override { WriteNext(); }
  void Ended() override;

  void WriteNext();
  // After a message of that size was told to the engine.
  void ReadOn(int64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void TakenIn(int64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  std::shared_ptr<WorkerStream> self() {
    return std::static_pointer_cast<WorkerStream>(shared_from_this());
  }

  const Parts parts_;
  // Set before the first read.
  std::shared_ptr<WorkerSession> session_;

  // Of the read at hand; gRPC refers to the message.
  grpc::ByteBuffer incoming_;
  int64_t bytes_since_look_ = 0;

  absl::Mutex mutex_;
  int64_t not_taken_in_ ABSL_GUARDED_BY(mutex_) = 0;
  bool read_waits_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace jobrunner::rpc
