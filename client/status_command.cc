#include "client/status_command.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/batch_text.h"
#include "client/console.h"
#include "client/exit_code.h"
#include "client/state_text.h"
#include "client/text_table.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {
namespace {

constexpr int32_t kPageSize = 1'000;

absl::Status ShowBatch(JobClient* client, const StatusOptions& options, Printer* printer) {
  const auto batch = client->batches().Get(options.batch_id);
  if (!batch.ok()) return batch.status();
  printer->Answer(*batch, BatchDetails(*batch));
  return absl::OkStatus();
}

absl::Status ShowJob(JobClient* client, const StatusOptions& options, Printer* printer) {
  v1::GetJobRequest request;
  request.set_batch_id(options.batch_id);
  if (options.job) request.set_index(*options.job);
  if (options.key) request.set_key(*options.key);
  const auto job = client->GetJob(request);
  if (!job.ok()) return job.status();
  printer->Answer(*job, JobDetails(*job));
  return absl::OkStatus();
}

absl::StatusOr<v1::ListJobsRequest> ListRequest(const StatusOptions& options) {
  v1::ListJobsRequest request;
  request.set_batch_id(options.batch_id);
  request.set_page_size(kPageSize);
  for (const std::string& text : options.states) {
    const auto state = ParseJobState(text);
    if (!state.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("--state ", state.status().message()));
    }
    request.add_states(*state);
  }
  return request;
}

// A table for each page, so that a million jobs are shown as they come.
void ShowPage(const v1::ListJobsResponse& page, Printer* printer) {
  if (printer->format() == OutputFormat::kJson) {
    for (const v1::JobStatus& job : page.jobs()) printer->Answer(job, "");
    return;
  }
  std::vector<std::vector<std::string>> rows = {JobRowHeadings()};
  for (const v1::JobStatus& job : page.jobs()) rows.push_back(JobRow(job));
  printer->Answer(page, TextTable(rows));
}

absl::Status ShowJobs(JobClient* client, const StatusOptions& options, Printer* printer) {
  auto request = ListRequest(options);
  if (!request.ok()) return request.status();
  do {
    const auto page = client->ListJobs(*request);
    if (!page.ok()) return page.status();
    ShowPage(*page, printer);
    if (absl::Status status = printer->Flush(); !status.ok()) return status;
    request->set_page_token(page->next_page_token());
  } while (!request->page_token().empty());
  return absl::OkStatus();
}

absl::Status Show(JobClient* client, const StatusOptions& options, Printer* printer) {
  if (options.job || options.key) return ShowJob(client, options, printer);
  if (options.jobs || !options.states.empty()) return ShowJobs(client, options, printer);
  return ShowBatch(client, options, printer);
}

}  // namespace

absl::StatusOr<int> StatusCommand(const CommonOptions& common, const StatusOptions& options) {
  const auto client = ConnectTo(common);
  if (!client.ok()) return client.status();
  Console console(common.format);
  absl::Status status = Show(client->get(), options, &console.printer);
  if (status.ok()) status = console.printer.Flush();
  if (!status.ok()) return status;
  return kSuccess;
}

}  // namespace jobrunner::client
