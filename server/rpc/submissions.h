// SubmitBatch and RunBatch.

#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "engine/submission.h"
#include "rpc/batch_owner.h"
#include "rpc/call_deadline.h"
#include "rpc/event_stream.h"
#include "rpc/service_parts.h"
#include "rpc/unary_call.h"

namespace jobrunner::rpc {

// Thread-safe; no method blocks, and none takes long: large requests are read on the intake's
// thread.
class Submissions {
 public:
  explicit Submissions(const ServiceParts& parts) : parts_(parts) {}

  void Submit(const grpc::ByteBuffer& request, const CallDeadline& deadline,
              std::shared_ptr<UnaryCall> call);

  // The stream, which has begun.
  std::shared_ptr<EventStream> Run(const grpc::ByteBuffer& request, const CallDeadline& deadline);

 private:
  using Take = absl::AnyInvocable<void(absl::StatusOr<engine::Submission>)>;

  void Read(const grpc::ByteBuffer& request, std::string batch_id, Take take);
  void Own(engine::Submission submission, const std::shared_ptr<BatchOwner>& owner,
           const std::shared_ptr<EventStream>& stream);

  const ServiceParts& parts_;
};

}  // namespace jobrunner::rpc
