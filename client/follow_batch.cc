#include "client/follow_batch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/exit_code.h"
#include "client/library/call_error.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {
namespace {

bool Succeeded(const v1::Event& event) {
  if (event.has_result()) return event.result().state() == v1::JOB_STATE_SUCCEEDED;
  if (event.has_batch_finished()) {
    return event.batch_finished().state() == v1::BATCH_STATE_SUCCEEDED;
  }
  return true;
}

absl::Status WithPlace(const BatchReader& reader, const absl::Status& status) {
  return WithMessage(status, status.code(),
                     absl::StrCat(status.message(), "\nthe last event seen was ",
                                  reader.last_sequence(), "; results --after goes on from there"));
}

}  // namespace

absl::StatusOr<int> FollowBatch(Client* client, v1::StreamResultsRequest reading,
                                Printer* printer) {
  const auto reader = client->Results(std::move(reading));
  bool succeeded = true;
  for (;;) {
    auto response = reader->Next();
    if (!response.ok() && reader->last_sequence() == 0) return response.status();
    if (!response.ok()) return WithPlace(*reader, response.status());
    if (!response->has_value()) return succeeded ? kSuccess : kJobsFailed;
    for (const v1::Event& event : (*response)->events()) {
      printer->Event(event);
      succeeded = succeeded && Succeeded(event);
    }
    if (absl::Status status = printer->Flush(); !status.ok()) return status;
  }
}

absl::StatusOr<int> ShowAccepted(Client* client, const v1::Batch& batch, bool wait,
                                 const CommonOptions& common) {
  Console console(common.format);
  console.printer.Accepted(batch, wait);
  if (absl::Status status = console.printer.Flush(); !status.ok()) return status;
  if (!wait) return kSuccess;
  v1::StreamResultsRequest reading;
  reading.set_batch_id(batch.id());
  reading.set_follow(true);
  return FollowBatch(client, std::move(reading), &console.printer);
}

}  // namespace jobrunner::client
