#include "rpc/message_bytes.h"

#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/slice.h>

#include "absl/strings/str_cat.h"

namespace jobrunner::rpc {

absl::Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message* message) {
  grpc::ByteBuffer copy(bytes);
  // An empty message may come without a buffer.
  if (!copy.Valid()) return absl::OkStatus();
  grpc::ProtoBufferReader reader(&copy);
  if (reader.status().ok() && message->ParseFromZeroCopyStream(&reader)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the request is not a ", message->GetTypeName(),
                                                 ": malformed, or a text that is not UTF-8"));
}

absl::Status MalformedRequest() { return absl::InvalidArgumentError("the request is malformed"); }

grpc::ByteBuffer SerializeMessage(const google::protobuf::Message& message) {
  grpc::Slice slice(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

grpc::ByteBuffer TakeRequest(const grpc::ByteBuffer* request) {
  grpc::ByteBuffer taken;
  // The buffer itself is not const; only the handler's view of it is.
  taken.Swap(const_cast<grpc::ByteBuffer*>(request));
  return taken;
}

}  // namespace jobrunner::rpc
