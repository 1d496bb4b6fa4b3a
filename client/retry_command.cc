#include "client/retry_command.h"

#include "client/console.h"
#include "client/follow_batch.h"
#include "client/library/request_id.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {

absl::StatusOr<int> RetryCommand(const CommonOptions& common, const RetryOptions& options) {
  v1::RetryJobsRequest request;
  request.set_request_id(NewRequestId());
  request.set_batch_id(options.batch_id);
  request.mutable_job_indexes()->Add(options.jobs.begin(), options.jobs.end());
  const auto client = ConnectTo(common);
  if (!client.ok()) return client.status();
  const auto batch = (*client)->RetryJobs(request);
  if (!batch.ok()) return batch.status();
  return ShowAccepted(&(*client)->batches(), *batch, options.wait, common);
}

}  // namespace jobrunner::client
