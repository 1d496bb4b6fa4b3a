// The messages that tell a remote worker what the engine wants.

#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "engine/remote_workers.h"
#include "jobrunner/v1/worker_service.pb.h"
#include "rpc/assignment_table.h"

namespace jobrunner::rpc {

// Makes one message at a time, when it can be sent: only then is an assignment serialized, and the
// time that is left to it read. Assignments and acknowledgements go many in a message of up to
// engine::kMessageBytesMax. Keeps the table: what is assigned enters it, what is acknowledged
// leaves it. Not thread-safe.
class OrderWriter {
 public:
  struct Parts {
    AssignmentTable* table = nullptr;
    const base::Clock* clock = nullptr;
    std::chrono::nanoseconds lease{0};
  };
  explicit OrderWriter(const Parts& parts) : parts_(parts) {}

  // For the welcome: what the worker's hello names, by the tokens that the engine was told.
  void Expect(std::string session_id, IdsByToken brought);

  // What is to be written next, when Next has nothing more.
  void Take(engine::RemoteOrders orders);
  // The worker named attempts that nobody knows: as held, or as ended.
  void StopUnknown(std::string id) { unknown_held_.push_back(std::move(id)); }
  void RefuseUnknown(std::string id) { unknown_ended_.push_back(std::move(id)); }
  size_t unknown() const { return unknown_held_.size() + unknown_ended_.size(); }
  // The server drains; the worker is told when it has been welcomed.
  void Drain() { draining_ = true; }

  using Message = std::optional<grpc::ByteBuffer>;
  Message Next();

  // How the engine ends the session: an error at once, else when Next has nothing more.
  const engine::WorkerEnd* end() const {
    return orders_.ends.empty() ? nullptr : &orders_.ends.front();
  }
  bool welcomed() const { return welcomed_; }
  // The number of the last check that was written.
  int64_t last_check() const { return last_check_; }

 private:
  Message NextOrder();
  Message Welcome();
  Message Stop();
  Message Assign();
  Message Acknowledge();
  Message Check();
  Message StopUnknown();
  Message RefuseUnknown();
  Message SayDrain();

  // Fills scratch_.
  void Describe(const AssignmentId& id, const engine::Assignment& start, const base::Now& now);

  const Parts parts_;

  std::string session_id_;
  IdsByToken brought_;
  bool welcomed_ = false;
  bool draining_ = false;
  int64_t last_check_ = 0;

  // What is at hand, and how far it is written.
  engine::RemoteOrders orders_;
  size_t starts_written_ = 0;
  size_t acknowledgements_written_ = 0;
  std::vector<std::string> unknown_held_;
  std::vector<std::string> unknown_ended_;

  // One for all, so that its memory is used again.
  v1::Assignment scratch_;
};

}  // namespace jobrunner::rpc
