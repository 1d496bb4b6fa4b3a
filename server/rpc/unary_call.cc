#include "rpc/unary_call.h"

#include <utility>

#include "rpc/message_bytes.h"
#include "rpc/status.h"

namespace jobrunner::rpc {

std::shared_ptr<UnaryCall> UnaryCall::Begin(grpc::ByteBuffer* response, OpenCalls* calls) {
  std::shared_ptr<UnaryCall> call(new UnaryCall(response, calls));
  call->self_ = call;
  calls->CallBegan();
  return call;
}

void UnaryCall::Answer(const google::protobuf::Message& response) {
  grpc::ByteBuffer bytes = SerializeMessage(response);
  absl::MutexLock lock(&mutex_);
  if (std::exchange(answered_, true)) return;
  response_->Swap(&bytes);
  Finish(grpc::Status::OK);
}

void UnaryCall::Refuse(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  if (std::exchange(answered_, true)) return;
  Finish(ToGrpcStatus(status));
}

void UnaryCall::OnCancel() { Refuse(absl::CancelledError("the call was cancelled")); }

void UnaryCall::OnDone() {
  calls_->CallEnded();
  // The last thing: it may be the end of *this.
  const auto self = std::move(self_);
}

}  // namespace jobrunner::rpc
