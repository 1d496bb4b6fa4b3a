// GetBatch, ListBatches, GetJob, ListJobs.

#pragma once

#include <memory>

#include "engine/engine.h"
#include "jobrunner/v1/job_service.pb.h"
#include "rpc/service_parts.h"
#include "rpc/unary_call.h"

namespace jobrunner::rpc {

// States and counts come from the engine, what was submitted and what came of it from the store.
// Thread-safe; no method blocks.
class LookUps {
 public:
  using Call = std::shared_ptr<UnaryCall>;

  explicit LookUps(const ServiceParts& parts) : parts_(parts) {}

  void GetBatch(const v1::GetBatchRequest& request, const Call& call);
  void ListBatches(const v1::ListBatchesRequest& request, const Call& call);
  void GetJob(const v1::GetJobRequest& request, const Call& call);
  void ListJobs(const v1::ListJobsRequest& request, const Call& call);

 private:
  // On the look-ups' thread: the job's index is known.
  void DescribeJob(const std::string& batch_id, int32_t index, const Call& call);
  void FindJob(const std::string& batch_id, const std::string& key, const Call& call);

  const ServiceParts& parts_;
};

}  // namespace jobrunner::rpc
