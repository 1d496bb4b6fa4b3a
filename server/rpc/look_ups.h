// GetBatch, ListBatches, GetJob, ListJobs.

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/engine.h"
#include "jobrunner/v1/job_service.pb.h"
#include "rpc/service_parts.h"
#include "rpc/unary_call.h"

namespace jobrunner::rpc {

// States and counts come from the engine, those of finished batches that it does not have (any
// more) from the store; what was submitted and what came of it always from the store.
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
  // What ListBatches was asked for.
  struct WantedBatches {
    engine::BatchFilter filter;
    std::string before_id;
    int32_t page_size = 0;
  };
  using TakePage = std::function<void(absl::StatusOr<engine::BatchPage>)>;

  // `live` with what the store has beside it; `take` runs on the look-ups' thread.
  void ListStored(const std::shared_ptr<const WantedBatches>& wanted, engine::BatchPage live,
                  TakePage take);
  // On the look-ups' thread: the job's index is known.
  void DescribeJob(const std::string& batch_id, int32_t index, const Call& call);
  void FindJob(const std::string& batch_id, const std::string& key, const Call& call);

  const ServiceParts& parts_;
};

}  // namespace jobrunner::rpc
