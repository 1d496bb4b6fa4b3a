#include "rpc/write_stream.h"

#include <utility>

#include "rpc/status.h"

namespace jobrunner::rpc {

void WriteStream::Begin() {
  self_ = shared_from_this();
  if (!calls_->StreamBegan(this, self_)) EndByServer();
}

void WriteStream::End(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  if (phase_ != Phase::kOpen) return;
  phase_ = Phase::kEnding;
  end_ = status;
  FinishIfIdle();
}

void WriteStream::EndByServer() { End(ServerStops()); }

void WriteStream::OnWriteDone(bool ok) {
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

void WriteStream::OnCancel() { Lose(); }

void WriteStream::OnDone() {
  calls_->StreamEnded(this);
  // The last thing: it may be the end of *this.
  const auto self = std::move(self_);
}

void WriteStream::SendHeaders() {
  absl::MutexLock lock(&mutex_);
  if (phase_ != Phase::kOpen || std::exchange(headers_sent_, true)) return;
  StartSendInitialMetadata();
}

void WriteStream::Write(grpc::ByteBuffer message) {
  absl::MutexLock lock(&mutex_);
  if (phase_ != Phase::kOpen) return;
  message_.Swap(&message);
  writing_ = true;
  headers_sent_ = true;
  StartWrite(&message_);
}

void WriteStream::WriteAndEnd(grpc::ByteBuffer message) {
  absl::MutexLock lock(&mutex_);
  if (phase_ != Phase::kOpen) return;
  phase_ = Phase::kFinished;
  message_.Swap(&message);
  StartWriteAndFinish(&message_, grpc::WriteOptions(), grpc::Status::OK);
}

void WriteStream::Lose() {
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

void WriteStream::FinishIfIdle() {
  if (writing_ || phase_ != Phase::kEnding) return;
  phase_ = Phase::kFinished;
  Finish(ToGrpcStatus(end_));
}

}  // namespace jobrunner::rpc
