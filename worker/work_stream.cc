#include "worker/work_stream.h"

#include <utility>

#include "engine/limits.h"

namespace jobrunner::worker {
namespace {

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  // Else gRPC's own backoff outlives the channel.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(engine::kWorkerMessageBytesMax);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

absl::Status ToStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace

WorkStream::WorkStream(const std::string& address, v1::WorkRequest hello,
                       std::shared_ptr<WorkInbox> inbox)
    : inbox_(std::move(inbox)), stub_(v1::WorkerService::NewStub(Connect(address))) {
  stub_->async()->Work(&context_, this);
  // The worker's loop writes, which is none of gRPC's threads: until Release.
  AddHold();
  Write(std::move(hello));
  StartRead(&incoming_);
  StartCall();
}

void WorkStream::Write(v1::WorkRequest message) {
  outgoing_ = std::move(message);
  StartWrite(&outgoing_);
}

void WorkStream::CloseSide() { StartWritesDone(); }

void WorkStream::OnReadDone(bool ok) {
  if (!ok) {
    inbox_->Put(StreamReadOut{});
    return;
  }
  inbox_->Put(std::exchange(incoming_, {}));
  StartRead(&incoming_);
}

void WorkStream::OnWriteDone(bool ok) {
  // Else the reads end, too.
  if (ok) inbox_->Put(StreamWritten{});
}

void WorkStream::OnDone(const grpc::Status& status) {
  // Once it is told, *this may go.
  const auto inbox = inbox_;
  inbox->Put(StreamEnded{ToStatus(status)});
}

}  // namespace jobrunner::worker
