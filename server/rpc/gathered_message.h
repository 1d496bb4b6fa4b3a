// A WorkResponse that is a list.

#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/limits.h"
#include "google/protobuf/message_lite.h"

namespace jobrunner::rpc {

// Built from items that are serialized as they are added, so that no message object holds them all:
// a WorkResponse whose one field is a message of lists. Not thread-safe.
class GatheredMessage {
 public:
  // `kind` is the field of WorkResponse.
  explicit GatheredMessage(int kind) : kind_(kind) {}

  // Appends to the list `field` of that message.
  void Add(int field, const google::protobuf::MessageLite& item);
  void Add(int field, std::string_view text);

  bool empty() const { return body_.empty(); }
  // Whether something of that size can be added: a message has one item at least, however large.
  bool HasRoomFor(size_t bytes) const {
    return empty() || body_.size() + bytes + kItemHeaderMax <= kBodyBytesMax;
  }

  // The message, whose bytes are not copied. Once.
  grpc::ByteBuffer Build();

 private:
  // A tag of a field up to 15, and a length.
  static constexpr size_t kItemHeaderMax = 1 + 5;
  static constexpr size_t kBodyBytesMax = engine::kMessageBytesMax - kItemHeaderMax;

  const int kind_;
  std::string body_;
};

}  // namespace jobrunner::rpc
