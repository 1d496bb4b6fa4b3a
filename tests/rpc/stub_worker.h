// A remote worker that does what a test tells it to.

#pragma once

#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "jobrunner/v1/worker_service.grpc.pb.h"
#include "rpc/served.h"

namespace jobrunner::rpc {

// One stream, over a connection of its own. Knows what it holds, and says so when it is asked,
// while it waits for something else. For one thread. Cancelled when it is destroyed before its end.
class StubWorker {
 public:
  using Hello = v1::WorkerHello;

  // Says hello.
  StubWorker(Served& served, const Hello& hello);
  ~StubWorker();
  StubWorker(const StubWorker&) = delete;
  StubWorker& operator=(const StubWorker&) = delete;

  // Each blocks until that message comes, and puts aside the assignments that come before it.
  // An empty message if the stream ends first.
  v1::WorkerWelcome AwaitWelcome();
  v1::Assignment AwaitAssignment();
  v1::StopAttempts AwaitStop();
  v1::AcknowledgedOutcomes AwaitAcknowledged();
  void AwaitDrain();
  // Takes nothing in until the stream ends, and answers nothing.
  grpc::Status AwaitEnd();

  bool Send(const v1::WorkRequest& message) { return stream_->Write(message); }
  void Succeed(const std::string& assignment_id, const std::string& output = "");
  void Fail(const std::string& assignment_id, const v1::AttemptFailure& failure);
  // Naming what it holds, or what it is told to.
  void Leave();
  void Leave(const std::set<std::string>& held);
  // Closes its side.
  void Close() { stream_->WritesDone(); }
  // As if the connection broke.
  void Break() { context_.TryCancel(); }

  const std::set<std::string>& held() const { return held_; }
  // To come back with.
  Hello HelloAgain() const;

 private:
  // The next message; LeaseChecks are answered. Nothing at the end.
  std::optional<v1::WorkResponse> Next();
  std::optional<v1::WorkResponse> Await(v1::WorkResponse::KindCase kind);

  Hello hello_;
  std::unique_ptr<v1::WorkerService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::WorkRequest, v1::WorkResponse>> stream_;
  bool finished_ = false;
  std::set<std::string> held_;
  std::deque<v1::Assignment> assigned_;
};

// Of handler "resize".
StubWorker::Hello ResizerHello(int32_t slots = 10);

}  // namespace jobrunner::rpc
