#include "client/submit_command.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/batch_file.h"
#include "client/console.h"
#include "client/duration_text.h"
#include "client/exit_code.h"
#include "client/follow_batch.h"
#include "client/safe_text.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {
namespace {

absl::StatusOr<v1::SubmitBatchRequest> ReadRequest(const SubmitOptions& options) {
  const auto text = ReadFile(options.file);
  if (!text.ok()) return text.status();
  auto request = ParseBatchFile(*text);
  if (!request.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(SafeText(options.file), ": ", request.status().message()));
  }
  v1::BatchSpec& batch = *request->mutable_batch();
  if (absl::Status status = ApplyTo(&batch, options.batch); !status.ok()) return status;
  if (options.job_timeout) {
    *batch.mutable_job_defaults()->mutable_timeout() = ToProto(*options.job_timeout);
  }
  if (!options.request_id.empty()) request->set_request_id(options.request_id);
  return request;
}

}  // namespace

absl::StatusOr<int> SubmitCommand(const CommonOptions& common, const SubmitOptions& options) {
  auto request = ReadRequest(options);
  if (!request.ok()) return request.status();
  const auto client = ConnectTo(common);
  if (!client.ok()) return client.status();
  Interrupt never;
  const auto batch = (*client)->SubmitBatch(std::move(*request), ReconnectLimits(common), &never);
  if (!batch.ok()) return batch.status();
  return ShowAccepted(client->get(), *batch, options.wait, common);
}

}  // namespace jobrunner::client
