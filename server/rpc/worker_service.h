// jobrunner.v1.WorkerService.

#pragma once

#include "jobrunner/v1/worker_service.grpc.pb.h"
#include "rpc/service_parts.h"

namespace jobrunner::rpc {

// Raw: messages are parsed here, so that what does not parse is refused with details.
using RawWorkerService = v1::WorkerService::WithRawCallbackMethod_Work<v1::WorkerService::Service>;

// gRPC's threads call it; no method blocks.
class WorkerService final : public RawWorkerService {
 public:
  // `parts` outlives it.
  explicit WorkerService(const ServiceParts& parts) : parts_(parts) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Work(
      grpc::CallbackServerContext* context) override;

 private:
  const ServiceParts& parts_;
};

}  // namespace jobrunner::rpc
