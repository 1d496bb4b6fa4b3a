// RetryJobs.

#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "jobrunner/v1/job_service.pb.h"
#include "rpc/service_parts.h"
#include "rpc/unary_call.h"

namespace jobrunner::rpc {

// Makes a new batch of what failed in a finished one. Thread-safe; no method blocks: the jobs are
// read and checked on the intake's thread.
class Retries {
 public:
  using Call = std::shared_ptr<UnaryCall>;

  explicit Retries(const ServiceParts& parts) : parts_(parts) {}

  void Retry(const v1::RetryJobsRequest& request, const Call& call);

 private:
  const ServiceParts& parts_;
};

}  // namespace jobrunner::rpc
