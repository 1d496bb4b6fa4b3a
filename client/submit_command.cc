#include "client/submit_command.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/batch_file.h"
#include "client/console.h"
#include "client/duration_text.h"
#include "client/exit_code.h"
#include "client/follow_batch.h"
#include "client/job_client.h"
#include "client/library/call_error.h"
#include "client/library/safe_text.h"
#include "client/library/upload.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {
namespace {

// Of the file, if it is its content that is wrong.
absl::Status InFile(const absl::Status& status, const SubmitOptions& options) {
  if (!absl::IsInvalidArgument(status) || IsCallError(status)) return status;
  return absl::InvalidArgumentError(absl::StrCat(SafeText(options.file), ": ", status.message()));
}

absl::Status Apply(const SubmitOptions& options, v1::SubmitBatchRequest* request) {
  v1::BatchSpec& batch = *request->mutable_batch();
  if (absl::Status status = ApplyTo(&batch, options.batch); !status.ok()) return status;
  if (options.job_timeout) {
    *batch.mutable_job_defaults()->mutable_timeout() = ToProto(*options.job_timeout);
  }
  if (!options.request_id.empty()) request->set_request_id(options.request_id);
  return absl::OkStatus();
}

// Adds the jobs to the request as long as it fits into one message. Whether all of them did.
absl::StatusOr<bool> Gather(JobSource* jobs, v1::SubmitBatchRequest* request) {
  int64_t bytes = static_cast<int64_t>(request->ByteSizeLong());
  v1::Job job;
  for (;;) {
    const auto more = jobs->Next(&job);
    if (!more.ok()) return more.status();
    if (!*more) return true;
    bytes += static_cast<int64_t>(job.ByteSizeLong());
    if (bytes > kMessageBytesMax) return false;
    request->mutable_batch()->mutable_jobs()->Add(std::move(job));
  }
}

// What is to be submitted.
struct Prepared {
  v1::SubmitBatchRequest request;
  // The jobs, where they are too many for one message; then the request has none.
  std::unique_ptr<JobLines> lines;
};

absl::StatusOr<Prepared> PrepareLines(std::unique_ptr<JobLines> lines,
                                      v1::SubmitBatchRequest header) {
  Prepared prepared{header, nullptr};
  const auto all = Gather(lines.get(), &prepared.request);
  if (!all.ok()) return all.status();
  if (!*all) return Prepared{std::move(header), std::move(lines)};
  if (prepared.request.batch().jobs().empty()) return absl::InvalidArgumentError("no jobs in it");
  return prepared;
}

absl::StatusOr<Prepared> Prepare(const SubmitOptions& options) {
  auto file = OpenBatchFile(options.file);
  if (!file.ok()) return InFile(file.status(), options);
  v1::SubmitBatchRequest request;
  if (auto* whole = std::get_if<v1::SubmitBatchRequest>(&*file)) request.Swap(whole);
  if (absl::Status status = Apply(options, &request); !status.ok()) return status;
  auto* lines = std::get_if<std::unique_ptr<JobLines>>(&*file);
  if (lines == nullptr) return Prepared{std::move(request), nullptr};
  auto prepared = PrepareLines(std::move(*lines), std::move(request));
  if (!prepared.ok()) return InFile(prepared.status(), options);
  return prepared;
}

absl::StatusOr<v1::Batch> Submit(Client& client, Prepared prepared) {
  v1::SubmitBatchRequest& request = prepared.request;
  return prepared.lines == nullptr ? client.Submit(std::move(request))
                                   : client.Upload(std::move(request), prepared.lines.get());
}

}  // namespace

absl::StatusOr<int> SubmitCommand(const CommonOptions& common, const SubmitOptions& options) {
  auto prepared = Prepare(options);
  if (!prepared.ok()) return prepared.status();
  const auto client = ConnectTo(common);
  if (!client.ok()) return client.status();
  const auto batch = Submit((*client)->batches(), *std::move(prepared));
  if (!batch.ok()) return InFile(batch.status(), options);
  return ShowAccepted(&(*client)->batches(), *batch, options.wait, common);
}

}  // namespace jobrunner::client
