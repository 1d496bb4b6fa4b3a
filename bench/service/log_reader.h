// A reader of a batch's log that costs its own process as little as can be.

#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "absl/synchronization/notification.h"

namespace jobrunner::bench {

enum class Pace {
  // Reads on as soon as it can.
  kFast,
  // Waits kSlowPause after each message.
  kSlow,
  // Reads one message, and no more until it is told to.
  kStalled,
};

// Follows a log to its end, counts its bytes and parses nothing. gRPC's threads do the reading; the
// methods are for one other thread. Aborts if the call does not end well.
class LogReader final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  static constexpr std::chrono::milliseconds kSlowPause{100};

  // The channel outlives it.
  LogReader(const std::shared_ptr<grpc::Channel>& channel, const std::string& batch_id, Pace pace);
  // After AwaitEnd.
  ~LogReader() override = default;

  // Blocks until the server serves it.
  void AwaitServed() { served_.WaitForNotification(); }
  // A stalled reader that has had its message reads on, fast.
  void ReadOn();
  // Blocks until it has all of the log.
  void AwaitEnd() { ended_.WaitForNotification(); }
  bool ended() const { return ended_.HasBeenNotified(); }
  // Of the log, so far.
  int64_t bytes() const { return bytes_; }

 private:
  void OnReadInitialMetadataDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  std::atomic<Pace> pace_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer message_;
  grpc::Alarm pause_;
  std::atomic<int64_t> bytes_{0};
  absl::Notification served_;
  absl::Notification stalls_;
  absl::Notification ended_;
};

}  // namespace jobrunner::bench
