// Messages in and out of gRPC's buffers.

#pragma once

#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace jobrunner::rpc {

// INVALID_ARGUMENT when the bytes are no such message, or have a text that is not UTF-8.
absl::Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message* message);

// INVALID_ARGUMENT for bytes that are no message.
absl::Status MalformedRequest();

grpc::ByteBuffer SerializeMessage(const google::protobuf::Message& message);

// Takes a request's bytes away from gRPC, which would keep them for as long as the call lasts: a
// stream may last for days, and a batch has up to megabytes.
grpc::ByteBuffer TakeRequest(const grpc::ByteBuffer* request);

}  // namespace jobrunner::rpc
