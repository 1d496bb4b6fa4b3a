#include "client/delete_command.h"

#include "client/console.h"
#include "client/exit_code.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {

absl::StatusOr<int> DeleteCommand(const CommonOptions& common, const DeleteOptions& options) {
  const auto client = ConnectTo(common);
  if (!client.ok()) return client.status();
  v1::DeleteBatchRequest request;
  request.set_allow_missing(options.allow_missing);
  for (const std::string& batch_id : options.batch_ids) {
    request.set_batch_id(batch_id);
    if (absl::Status status = (*client)->DeleteBatch(request); !status.ok()) return status;
  }
  return kSuccess;
}

}  // namespace jobrunner::client
