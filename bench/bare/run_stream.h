// One call of Run.

#pragma once

#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "bare.grpc.pb.h"
#include "google/protobuf/arena.h"

namespace jobrunner::bench {

class RunStream;

struct Submitted {
  google::protobuf::Arena arena;
  Batch* batch = google::protobuf::Arena::CreateMessage<Batch>(&arena);
  // The jobs as they came, for the store.
  std::string bytes;
  RunStream* stream = nullptr;
  int done = 0;
};

// What is published is written, one message at a time.
class RunStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  explicit RunStream(std::unique_ptr<Submitted> submitted) : submitted_(std::move(submitted)) {}

  void Publish(std::string bytes, bool last) {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(bytes));
    last_ |= last;
    WriteNext();
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    writing_ = false;
    if (ok) {
      WriteNext();
    } else if (!finished_) {
      finished_ = true;
      Finish(grpc::Status::CANCELLED);
    }
  }

  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    if (writing_ || finished_) return;
    if (!waiting_.empty()) {
      grpc::Slice slice(waiting_.front().data(), waiting_.front().size());
      waiting_.pop_front();
      message_ = grpc::ByteBuffer(&slice, 1);
      writing_ = true;
      StartWrite(&message_);
    } else if (last_) {
      finished_ = true;
      Finish(grpc::Status::OK);
    }
  }

  const std::unique_ptr<Submitted> submitted_;
  std::mutex mutex_;
  std::deque<std::string> waiting_;
  grpc::ByteBuffer message_;
  bool writing_ = false;
  bool last_ = false;
  bool finished_ = false;
};

}  // namespace jobrunner::bench
