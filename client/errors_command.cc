#include "client/errors_command.h"

#include "absl/strings/str_cat.h"
#include "client/batch_options.h"
#include "client/console.h"
#include "client/exit_code.h"
#include "client/library/backoff.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {
namespace {

absl::StatusOr<v1::StreamErrorsRequest> Request(const ErrorsOptions& options) {
  v1::StreamErrorsRequest request;
  request.set_queue(options.queue);
  for (const std::string& text : options.labels) {
    const auto label = ParseLabel(text);
    if (!label.ok()) return label.status();
    (*request.mutable_labels())[label->first] = label->second;
  }
  return request;
}

// Away for a while, or this reader was too slow.
bool MayReopen(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsCancelled(status) ||
         absl::IsResourceExhausted(status);
}

// Shows one stream to its end; ABORTED when nobody reads the output any more.
absl::Status Show(ErrorStream* stream, Backoff* backoff, Printer* printer) {
  v1::StreamErrorsResponse response;
  while (stream->Read(&response)) {
    backoff->Progress();
    for (const v1::BatchEvent& event : response.events()) printer->BatchEvent(event);
    if (absl::Status status = printer->Flush(); !status.ok()) return status;
  }
  return stream->Finish();
}

}  // namespace

absl::StatusOr<int> ErrorsCommand(const CommonOptions& common, const ErrorsOptions& options) {
  const auto request = Request(options);
  if (!request.ok()) return request.status();
  const auto client = ConnectTo(common);
  if (!client.ok()) return client.status();
  Console console(common.format);
  Backoff backoff(ReconnectLimits(common));
  for (;;) {
    const auto stream = (*client)->StreamErrors(*request);
    const absl::Status status = Show(stream.get(), &backoff, &console.printer);
    if (status.ok()) return kSuccess;
    if (!MayReopen(status)) return status;
    const absl::Duration wait = backoff.AfterFailure(std::chrono::steady_clock::now());
    if (wait == absl::InfiniteDuration()) return status;
    console.printer.Note(absl::StrCat("jobrunner: ", status.message(),
                                      "; trying again, errors in between are not shown here"));
    absl::SleepFor(wait);
  }
}

}  // namespace jobrunner::client
