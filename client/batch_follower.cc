#include "client/batch_follower.h"

#include <utility>

#include "client/batch_canceller.h"
#include "client/job_client.h"

namespace jobrunner::client {

BatchFollower::BatchFollower(JobClient* client, BatchCanceller* canceller,
                             v1::SubmitBatchRequest request, BatchReader::Options reading,
                             Listener listener)
    : client_(client), canceller_(canceller), listener_(std::move(listener)) {
  thread_ =
      std::thread([this, request = std::move(request), reading = std::move(reading)]() mutable {
        listener_.on_end(Follow(std::move(request), std::move(reading)));
      });
}

BatchFollower::~BatchFollower() { thread_.join(); }

void BatchFollower::Abandon() {
  submitting_.Fire();
  absl::MutexLock lock(&mutex_);
  abandoned_ = true;
  if (reader_ != nullptr) reader_->Cancel();
}

absl::Status BatchFollower::Follow(v1::SubmitBatchRequest request, BatchReader::Options reading) {
  const auto batch = client_->SubmitBatch(std::move(request), reading.backoff, &submitting_);
  if (!batch.ok()) return batch.status();
  canceller_->Add(batch->id());
  reading.batch_id = batch->id();
  const auto reader = std::make_shared<BatchReader>(client_, std::move(reading));
  {
    absl::MutexLock lock(&mutex_);
    reader_ = reader;
    if (abandoned_) reader->Cancel();
  }
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
