#include "rpc/worker_stream.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "rpc/message_bytes.h"
#include "rpc/status.h"

namespace jobrunner::rpc {
namespace {

absl::Status CheckSize(int64_t size, int64_t max) {
  if (size <= max) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a message has ", size, " bytes, at most ", max, " are allowed"));
}

absl::Status Parse(const grpc::ByteBuffer& bytes, v1::WorkRequest* message) {
  const auto size = static_cast<int64_t>(bytes.Length());
  RETURN_IF_ERROR(CheckSize(size, engine::kWorkerIdsMessageBytesMax));
  RETURN_IF_ERROR(ParseMessage(bytes, message));
  const bool names_all = message->has_hello() || message->has_lease_answer();
  return names_all ? absl::OkStatus() : CheckSize(size, engine::kWorkerMessageBytesMax);
}

}  // namespace

void WorkerStream::Serve() {
  // The engine's orders come before those who give them know whether the stream is still there.
  const std::weak_ptr<WorkerStream> weak = self();
  session_ =
      std::make_shared<WorkerSession>(parts_.sessions, [weak, dispatcher = parts_.dispatcher] {
        if (auto stream = weak.lock()) {
          dispatcher->Post([stream = std::move(stream)] { stream->WriteNext(); });
        }
      });
  ReadInto(&incoming_);
}

void WorkerStream::OnReadDone(bool ok) {
  // The worker has closed its side, or is gone.
  if (!ok) return End(absl::OkStatus());
  v1::WorkRequest message;
  const auto bytes = static_cast<int64_t>(incoming_.Length());
  absl::Status status = Parse(incoming_, &message);
  incoming_.Clear();
  if (status.ok()) status = session_->Receive(std::move(message));
  if (!status.ok()) return End(status);
  ReadOn(bytes);
}

void WorkerStream::ReadOn(int64_t bytes) {
  bytes_since_look_ += bytes;
  const int64_t looked_at =
      bytes_since_look_ < kLookBytes ? 0 : std::exchange(bytes_since_look_, 0);
  if (looked_at > 0) {
    session_->AfterWhatWasTold([stream = self(), looked_at] {
      stream->parts_.dispatcher->Post([stream, looked_at] { stream->TakenIn(looked_at); });
    });
  }
  {
    absl::MutexLock lock(&mutex_);
    not_taken_in_ += looked_at;
    read_waits_ = not_taken_in_ > kNotTakenInMax;
    if (read_waits_) return;
  }
  ReadInto(&incoming_);
}

void WorkerStream::TakenIn(int64_t bytes) {
  {
    absl::MutexLock lock(&mutex_);
    not_taken_in_ -= bytes;
    if (!read_waits_ || not_taken_in_ > kNotTakenInMax) return;
    read_waits_ = false;
  }
  ReadInto(&incoming_);
}

void WorkerStream::WriteNext() {
  WorkerSession::Next next = session_->NextMessage();
  if (auto* message = std::get_if<grpc::ByteBuffer>(&next)) {
    Write(*message);
  } else if (auto* end = std::get_if<WorkerSession::End>(&next)) {
    End(end->status);
  }
}

void WorkerStream::Ended() {
  if (session_) session_->Close();
}

}  // namespace jobrunner::rpc
