// A call with one answer.

#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "google/protobuf/message.h"
#include "rpc/message_bytes.h"
#include "rpc/open_calls.h"

namespace jobrunner::rpc {

// Answers once, whatever happens: the first of Answer, Refuse and the client's going away counts,
// and the others do nothing. Thread-safe. gRPC refers to it until OnDone, whoever answers by a
// shared_ptr for as long as he likes.
class UnaryCall final : public grpc::ServerUnaryReactor,
                        public std::enable_shared_from_this<UnaryCall> {
 public:
  // `response` is gRPC's, and lives as long as the call; `calls` outlives it.
  static std::shared_ptr<UnaryCall> Begin(grpc::ByteBuffer* response, OpenCalls* calls);

  // Serialize and send on the calling thread.
  void Answer(const google::protobuf::Message& response) ABSL_LOCKS_EXCLUDED(mutex_);
  void Refuse(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  void OnCancel() override;
  void OnDone() override;

 private:
  UnaryCall(grpc::ByteBuffer* response, OpenCalls* calls) : calls_(calls), response_(response) {}

  OpenCalls* const calls_;
  // Given up in OnDone.
  std::shared_ptr<UnaryCall> self_;

  absl::Mutex mutex_;
  bool answered_ ABSL_GUARDED_BY(mutex_) = false;
  // Must not be touched once answered.
  grpc::ByteBuffer* const response_ ABSL_PT_GUARDED_BY(mutex_);
};

// Begins a call, parses its request, and has it served: serve(request, call). What does not parse
// is refused.
template <typename Request, typename Serve>
UnaryCall* ServeUnary(const grpc::ByteBuffer* request, grpc::ByteBuffer* response, OpenCalls* calls,
                      Serve serve) {
  const std::shared_ptr<UnaryCall> call = UnaryCall::Begin(response, calls);
  Request message;
  if (const absl::Status status = ParseMessage(*request, &message); status.ok()) {
    serve(std::move(message), call);
  } else {
    call->Refuse(status);
  }
  return call.get();
}

}  // namespace jobrunner::rpc
