#include "client/list_command.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/batch_options.h"
#include "client/batch_table.h"
#include "client/console.h"
#include "client/exit_code.h"
#include "client/state_text.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {
namespace {

constexpr int64_t kPageSize = 1'000;

absl::StatusOr<v1::ListBatchesRequest> Request(const ListOptions& options) {
  v1::ListBatchesRequest request;
  request.set_page_size(
      static_cast<int32_t>(options.limit == 0 ? kPageSize : std::min(options.limit, kPageSize)));
  request.set_queue(options.queue);
  for (const std::string& text : options.states) {
    const auto state = ParseBatchState(text);
    if (!state.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("--state ", state.status().message()));
    }
    request.add_states(*state);
  }
  for (const std::string& text : options.labels) {
    const auto label = ParseLabel(text);
    if (!label.ok()) return label.status();
    (*request.mutable_labels())[label->first] = label->second;
  }
  return request;
}

// Every page, up to the limit.
absl::StatusOr<std::vector<v1::Batch>> Fetch(JobClient* client, v1::ListBatchesRequest request,
                                             int64_t limit) {
  std::vector<v1::Batch> batches;
  do {
    auto page = client->ListBatches(request);
    if (!page.ok()) return page.status();
    for (v1::Batch& batch : *page->mutable_batches()) {
      batches.push_back(std::move(batch));
      if (static_cast<int64_t>(batches.size()) == limit) return batches;
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return batches;
}

}  // namespace

absl::StatusOr<int> ListCommand(const CommonOptions& common, const ListOptions& options) {
  auto request = Request(options);
  if (!request.ok()) return request.status();
  const auto client = ConnectTo(common);
  if (!client.ok()) return client.status();
  const auto batches = Fetch(client->get(), std::move(*request), options.limit);
  if (!batches.ok()) return batches.status();
  Console console(common.format);
  BatchTable table(&console);
  for (const v1::Batch& batch : *batches) table.Add(batch);
  table.End();
  if (absl::Status status = console.printer.Flush(); !status.ok()) return status;
  return kSuccess;
}

}  // namespace jobrunner::client
