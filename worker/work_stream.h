// A worker's stream to the server.

#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "jobrunner/v1/worker_service.grpc.pb.h"
#include "worker/work_input.h"

namespace jobrunner::worker {

// One call of WorkerService.Work, on a connection of its own. It tells the inbox what happens, on
// gRPC's threads, and StreamEnded last: then, and not before, it may be destroyed. The methods are
// for one thread, and do not block.
class WorkStream final : public grpc::ClientBidiReactor<v1::WorkRequest, v1::WorkResponse> {
 public:
  // Opens the call; `hello` is written first, and StreamWritten follows.
  WorkStream(const std::string& address, v1::WorkRequest hello, std::shared_ptr<WorkInbox> inbox);

  // After StreamWritten. StreamWritten follows, unless the call ends.
  void Write(v1::WorkRequest message);

  // Says that nothing more is written. After StreamWritten; in the place of Write.
  void CloseSide();

  // Breaks the call off.
  void Cancel() { context_.TryCancel(); }

  // After StreamReadOut: nothing more is asked of it, and StreamEnded follows.
  void Release() { RemoveHold(); }

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  const std::shared_ptr<WorkInbox> inbox_;
  const std::unique_ptr<v1::WorkerService::Stub> stub_;
  grpc::ClientContext context_;
  // In flight: gRPC refers to them.
  v1::WorkRequest outgoing_;
  v1::WorkResponse incoming_;
};

}  // namespace jobrunner::worker
