#include "client/retry_command.h"

#include <utility>

#include "client/console.h"
#include "client/exit_code.h"
#include "client/follow_batch.h"
#include "client/request_id.h"
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
  Console console(common.format);
  console.printer.Accepted(*batch, options.wait);
  if (absl::Status status = console.printer.Flush(); !status.ok()) return status;
  if (!options.wait) return kSuccess;
  BatchReader::Options reading;
  reading.batch_id = batch->id();
  reading.backoff = ReconnectLimits(common);
  return FollowBatch(client->get(), std::move(reading), &console.printer);
}

}  // namespace jobrunner::client
