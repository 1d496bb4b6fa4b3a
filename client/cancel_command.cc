#include "client/cancel_command.h"

#include "client/batch_text.h"
#include "client/console.h"
#include "client/duration_text.h"
#include "client/exit_code.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {

absl::StatusOr<int> CancelCommand(const CommonOptions& common, const CancelOptions& options) {
  v1::CancelRequest request;
  request.set_batch_id(options.batch_id);
  request.mutable_job_indexes()->Add(options.jobs.begin(), options.jobs.end());
  request.set_reason(options.reason);
  if (options.grace) *request.mutable_grace_period() = ToProto(*options.grace);
  const auto client = ConnectTo(common);
  if (!client.ok()) return client.status();
  const auto batch = (*client)->batches().Cancel(request);
  if (!batch.ok()) return batch.status();
  Console console(common.format);
  console.printer.Answer(*batch, BatchDetails(*batch));
  if (absl::Status status = console.printer.Flush(); !status.ok()) return status;
  return kSuccess;
}

}  // namespace jobrunner::client
