// Cancel.

#pragma once

#include <memory>

#include "jobrunner/v1/job_service.pb.h"
#include "rpc/service_parts.h"
#include "rpc/unary_call.h"

namespace jobrunner::rpc {

// Ends batches that run. Thread-safe; no method blocks.
class BatchEndings {
 public:
  using Call = std::shared_ptr<UnaryCall>;

  explicit BatchEndings(const ServiceParts& parts) : parts_(parts) {}

  void Cancel(const v1::CancelRequest& request, const Call& call);

 private:
  // A batch that the engine does not have (any more): if it has finished, it stays as it is.
  void CancelFinished(const v1::CancelRequest& request, const Call& call);

  const ServiceParts& parts_;
};

}  // namespace jobrunner::rpc
