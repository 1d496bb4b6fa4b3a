#include "client/batch_follower.h"

#include <utility>

#include "client/batch_canceller.h"

namespace jobrunner::client {

BatchFollower::BatchFollower(Client* client, BatchCanceller* canceller,
                             v1::SubmitBatchRequest request, v1::StreamResultsRequest reading,
                             Listener listener)
    : client_(client), canceller_(canceller), listener_(std::move(listener)) {
  thread_ =
      std::thread([this, request = std::move(request), reading = std::move(reading)]() mutable {
        listener_.on_end(Follow(std::move(request), std::move(reading)));
      });
}

BatchFollower::~BatchFollower() { thread_.join(); }

void BatchFollower::Abandon() {
  submitting_.request_stop();
  reading_.request_stop();
}

absl::Status BatchFollower::Follow(v1::SubmitBatchRequest request,
                                   v1::StreamResultsRequest reading) {
  const auto batch = client_->Submit(std::move(request), {.stop = submitting_.get_token()});
  if (!batch.ok()) return batch.status();
  canceller_->Add(batch->id());
  reading.set_batch_id(batch->id());
  const auto reader = client_->Results(std::move(reading), {.stop = reading_.get_token()});
  absl::Status status = Read(reader.get());
  canceller_->Remove(batch->id());
  return status;
}

absl::Status BatchFollower::Read(BatchReader* reader) {
  for (;;) {
    auto events = reader->Next();
    if (!events.ok()) return events.status();
    if (!events->has_value()) return absl::OkStatus();
    listener_.on_events(std::move(**events));
  }
}

}  // namespace jobrunner::client
