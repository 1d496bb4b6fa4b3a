#include "rpc/gathered_message.h"

#include <grpcpp/support/slice.h>

#include <array>
#include <utility>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace jobrunner::rpc {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;

// Tag and length of a field that has bytes.
std::string_view HeaderOf(int field, size_t bytes, std::array<uint8_t, 16>* buffer) {
  uint8_t* end = CodedOutputStream::WriteVarint32ToArray(
      WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED), buffer->data());
  end = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(bytes), end);
  return {reinterpret_cast<const char*>(buffer->data()), static_cast<size_t>(end - buffer->data())};
}

}  // namespace

void GatheredMessage::Add(int field, const google::protobuf::MessageLite& item) {
  std::array<uint8_t, 16> buffer;
  body_.append(HeaderOf(field, item.ByteSizeLong(), &buffer));
  item.AppendPartialToString(&body_);
}

void GatheredMessage::Add(int field, std::string_view text) {
  std::array<uint8_t, 16> buffer;
  body_.append(HeaderOf(field, text.size(), &buffer));
  body_.append(text);
}

grpc::ByteBuffer GatheredMessage::Build() {
  std::array<uint8_t, 16> buffer;
  const std::string_view header = HeaderOf(kind_, body_.size(), &buffer);
  auto* const body = new std::string(std::move(body_));
  const std::array<grpc::Slice, 2> slices{
      grpc::Slice(header.data(), header.size()),
      grpc::Slice(
          body->data(), body->size(), [](void* text) { delete static_cast<std::string*>(text); },
          body)};
  return grpc::ByteBuffer(slices.data(), slices.size());
}

}  // namespace jobrunner::rpc
