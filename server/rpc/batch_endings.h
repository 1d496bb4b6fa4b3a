// Cancel, DeleteBatch.

#pragma once

#include <memory>

#include "jobrunner/v1/job_service.pb.h"
#include "rpc/service_parts.h"
#include "rpc/unary_call.h"

namespace jobrunner::rpc {

// Ends batches that run, and removes finished ones. Thread-safe; no method blocks.
class BatchEndings {
 public:
  using Call = std::shared_ptr<UnaryCall>;

  explicit BatchEndings(const ServiceParts& parts) : parts_(parts) {}

  void Cancel(const v1::CancelRequest& request, const Call& call);
  void Delete(const v1::DeleteBatchRequest& request, const Call& call);

 private:
  // A batch that the engine does not have (any more): if it has finished, it stays as it is.
  void CancelFinished(const v1::CancelRequest& request, const Call& call);

  // The engine is asked to remove it; a durable store has it, finished.
  void Remove(const v1::DeleteBatchRequest& request, const Call& call);

  const ServiceParts& parts_;
};

}  // namespace jobrunner::rpc
