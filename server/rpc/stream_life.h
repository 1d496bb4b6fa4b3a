// The life of a streaming call, apart from what it streams.

#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "rpc/open_calls.h"

namespace jobrunner::rpc {

// Whether the client sends more than one message.
template <typename Reactor>
concept Reads = requires(Reactor& reactor, grpc::ByteBuffer* message) {
  reactor.StartRead(message);
};

// One message in flight, one end, whatever happens and on whichever thread: a cancel, a lost
// connection, the server's stop and the stream's own end may come at any moment and at once.
//
//   open ──End, EndByServer, the client's going──► ending ──no write in flight──► finished ──►
//   OnDone
//
// Thread-safe. gRPC refers to it until OnDone; everybody else by shared_ptr or weak_ptr. A derived
// class says what to write: it is told when it can write again (WriteDone), and once if the client
// has gone before the end (ClientGone). `Reactor` is gRPC's, for streams of bytes: one that writes,
// or one that reads as well.
template <typename Reactor>
class StreamLife : public Reactor,
                   public ServedStream,
                   public std::enable_shared_from_this<StreamLife<Reactor>> {
 public:
  ~StreamLife() override = default;
  StreamLife(const StreamLife&) = delete;
  StreamLife& operator=(const StreamLife&) = delete;

  // Once, right after the stream was made; it may have ended then, if the server stops.
  void Begin() ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends the call when the message in flight, if there is one, is through. The first end counts.
  void End(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  void EndByServer() override;

  void OnWriteDone(bool ok) final ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() final ABSL_LOCKS_EXCLUDED(mutex_);
  void OnDone() final;

 protected:
  // `calls` outlives the stream.
  explicit StreamLife(OpenCalls* calls) : calls_(calls) {}

  OpenCalls& calls() { return *calls_; }

  // Sends the headers, unless they went with a message, so that the client knows that it is served.
  void SendHeaders() ABSL_LOCKS_EXCLUDED(mutex_);
  // Sends a message, while none is in flight. WriteDone follows, unless the stream ends.
  void Write(grpc::ByteBuffer message) ABSL_LOCKS_EXCLUDED(mutex_);
  // Sends the last message and ends with OK.
  void WriteAndEnd(grpc::ByteBuffer message) ABSL_LOCKS_EXCLUDED(mutex_);

  // Of a stream that reads: has the client's next message put into *message, which stays where it
  // is until OnReadDone. While no read is in flight; dropped if the stream has ended.
  void ReadInto(grpc::ByteBuffer* message) ABSL_LOCKS_EXCLUDED(mutex_);

  // Called without a lock. The stream is open, and nothing is in flight.
  virtual void WriteDone() = 0;
  // Once, if the client cancelled, its deadline passed or its connection broke while the stream was
  // open. The end follows.
  virtual void ClientGone() {}
  // Once, at the very end: nothing else is called any more.
  virtual void Ended() {}

 private:
  enum class Phase { kOpen, kEnding, kFinished };

  // The client has gone, as far as anybody can tell: says so and ends.
  void Lose() ABSL_LOCKS_EXCLUDED(mutex_);
  void FinishIfIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  OpenCalls* const calls_;
  // Given up in OnDone.
  std::shared_ptr<StreamLife> self_;

  absl::Mutex mutex_;
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kOpen;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool headers_sent_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);
  // What is in flight: gRPC refers to it.
  grpc::ByteBuffer message_ ABSL_GUARDED_BY(mutex_);
};

// A request, then messages to the client.
using WriteStream = StreamLife<grpc::ServerWriteReactor<grpc::ByteBuffer>>;
// Messages to the client and from it.
using DuplexStream = StreamLife<grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>>;

extern template class StreamLife<grpc::ServerWriteReactor<grpc::ByteBuffer>>;
extern template class StreamLife<grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>>;

}  // namespace jobrunner::rpc
