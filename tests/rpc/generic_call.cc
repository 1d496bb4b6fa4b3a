#include "rpc/generic_call.h"

#include <vector>

namespace jobrunner::rpc {

GenericCall::GenericCall(std::shared_ptr<grpc::Channel> channel, const std::string& method)
    : stub_(std::move(channel)), call_(stub_.PrepareCall(&context_, method, &queue_)) {
  call_->StartCall(nullptr);
  Await();
}

GenericCall::~GenericCall() {
  if (!finished_) {
    Cancel();
    Finish();
  }
}

void GenericCall::Send(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  call_->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
  Await();
}

std::optional<std::string> GenericCall::Receive() {
  grpc::ByteBuffer buffer;
  call_->Read(&buffer, nullptr);
  if (!Await()) return std::nullopt;
  std::vector<grpc::Slice> slices;
  buffer.Dump(&slices);
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

grpc::Status GenericCall::Finish() {
  finished_ = true;
  grpc::Status status;
  call_->Finish(&status, nullptr);
  Await();
  return status;
}

bool GenericCall::Await() {
  void* tag = nullptr;
  bool ok = false;
  return queue_.Next(&tag, &ok) && ok;
}

}  // namespace jobrunner::rpc
