#include "rpc/stream_life.h"

#include <utility>

#include "rpc/status.h"

namespace jobrunner::rpc {

template <typename Reactor>
void StreamLife<Reactor>::Begin() {
  self_ = this->shared_from_this();
  if (!calls_->StreamBegan(this, self_)) EndByServer();
}

template <typename Reactor>
void StreamLife<Reactor>::End(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  if (phase_ != Phase::kOpen) return;
  phase_ = Phase::kEnding;
  end_ = status;
  FinishIfIdle();
}

template <typename Reactor>
void StreamLife<Reactor>::EndByServer() {
  End(ServerStops());
}

template <typename Reactor>
void StreamLife<Reactor>::OnWriteDone(bool ok) {
  bool open = false;
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    // What was sent goes now: a segment is held by whoever still needs it.
    message_.Clear();
    open = phase_ == Phase::kOpen;
    if (phase_ == Phase::kEnding) FinishIfIdle();
  }
  if (!open) return;
  if (ok) {
    WriteDone();
  } else {
    Lose();
  }
}

template <typename Reactor>
void StreamLife<Reactor>::OnCancel() {
  Lose();
}

template <typename Reactor>
void StreamLife<Reactor>::OnDone() {
  Ended();
  calls_->StreamEnded(this);
  // The last thing: it may be the end of *this.
  const auto self = std::move(self_);
}

template <typename Reactor>
void StreamLife<Reactor>::SendHeaders() {
  absl::MutexLock lock(&mutex_);
  if (phase_ != Phase::kOpen || std::exchange(headers_sent_, true)) return;
  this->StartSendInitialMetadata();
}

template <typename Reactor>
void StreamLife<Reactor>::Write(grpc::ByteBuffer message) {
  absl::MutexLock lock(&mutex_);
  if (phase_ != Phase::kOpen) return;
  message_.Swap(&message);
  writing_ = true;
  headers_sent_ = true;
  this->StartWrite(&message_);
}

template <typename Reactor>
void StreamLife<Reactor>::WriteAndEnd(grpc::ByteBuffer message) {
  absl::MutexLock lock(&mutex_);
  if (phase_ != Phase::kOpen) return;
  phase_ = Phase::kFinished;
  message_.Swap(&message);
  this->StartWriteAndFinish(&message_, grpc::WriteOptions(), grpc::Status::OK);
}

template <typename Reactor>
void StreamLife<Reactor>::ReadInto(grpc::ByteBuffer* message) {
  // Not a constraint of the function, which clang 14 would instantiate all the same.
  if constexpr (Reads<Reactor>) {
    absl::MutexLock lock(&mutex_);
    // After Finish gRPC may be done with the call.
    if (phase_ == Phase::kOpen) this->StartRead(message);
  }
}

template <typename Reactor>
void StreamLife<Reactor>::Lose() {
  {
    absl::MutexLock lock(&mutex_);
    if (phase_ != Phase::kOpen) return;
    phase_ = Phase::kEnding;
    end_ = absl::CancelledError("the client has gone");
  }
  // Before the call is finished: whoever sees it end can rely on what follows from it.
  ClientGone();
  absl::MutexLock lock(&mutex_);
  FinishIfIdle();
}

template <typename Reactor>
void StreamLife<Reactor>::FinishIfIdle() {
  if (writing_ || phase_ != Phase::kEnding) return;
  phase_ = Phase::kFinished;
  this->Finish(ToGrpcStatus(end_));
}

template class StreamLife<grpc::ServerWriteReactor<grpc::ByteBuffer>>;
template class StreamLife<grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>>;

}  // namespace jobrunner::rpc
