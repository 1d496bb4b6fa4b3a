// The life of an UploadBatch call.

#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "rpc/open_calls.h"
#include "rpc/service_parts.h"
#include "rpc/upload.h"

namespace jobrunner::rpc {

// Reads a message at a time, and the next one when that is dealt with: what waits behind it, gRPC's
// flow control keeps with the client. One end, whatever happens and on whichever thread.
//
//   receiving ──the last message──► submitting ──the engine's answer──► finished ──► OnDone
//       └── an error, a drain, silence, the client's going ───────────────┘
//
// While it is submitting only the client's going ends it earlier, and the batch may be accepted all
// the same. Thread-safe. gRPC refers to it until OnDone, everybody else by shared_ptr or weak_ptr.
class UploadCall final : public grpc::ServerReadReactor<grpc::ByteBuffer>,
                         public ServedStream,
                         public std::enable_shared_from_this<UploadCall> {
 public:
  // `parts` outlives it; `response` is gRPC's, and lives as long as the call.
  UploadCall(const ServiceParts& parts, grpc::ByteBuffer* response)
      : parts_(parts), response_(response) {}
  UploadCall(const UploadCall&) = delete;
  UploadCall& operator=(const UploadCall&) = delete;

  // Once, right after the call was made: from here on it receives.
  void Begin(std::shared_ptr<Upload> upload) ABSL_LOCKS_EXCLUDED(mutex_);
  // Or this: it is refused.
  void Refuse(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  Kind kind() const override { return Kind::kUpload; }
  // The drain of the server.
  void EndByServer() override;

  void OnReadDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override;
  void OnDone() override;

 private:
  enum class Phase { kReceiving, kSubmitting, kFinished };

  void Register();
  void ReadNext() ABSL_LOCKS_EXCLUDED(mutex_);
  // On the intake's thread.
  void Take(grpc::ByteBuffer message) ABSL_LOCKS_EXCLUDED(mutex_);
  void Submit(const std::shared_ptr<Upload>& upload) ABSL_LOCKS_EXCLUDED(mutex_);
  void Answer(const absl::StatusOr<v1::Batch>& batch) ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends a call that is receiving.
  void End(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends the call, if it is in one of the phases up to `last`. Returns what it let go of, to be
  // dropped without the lock.
  std::shared_ptr<Upload> FinishUpTo(Phase last, const grpc::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Ends the call if the client has sent nothing for too long; otherwise looks again in time.
  void WatchSilence(base::SteadyTime at);
  void LookForSilence() ABSL_LOCKS_EXCLUDED(mutex_);

  const ServiceParts& parts_;
  // Given up in OnDone.
  std::shared_ptr<UploadCall> self_;

  absl::Mutex mutex_;
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kReceiving;
  std::shared_ptr<Upload> upload_ ABSL_GUARDED_BY(mutex_);
  // Since when it waits for a message; max() while it does not.
  base::SteadyTime waits_since_ ABSL_GUARDED_BY(mutex_) = base::SteadyTime::max();
  // What is being read: gRPC refers to it.
  grpc::ByteBuffer message_ ABSL_GUARDED_BY(mutex_);
  // Must not be touched once finished.
  grpc::ByteBuffer* const response_ ABSL_PT_GUARDED_BY(mutex_);
};

}  // namespace jobrunner::rpc
