#include "client/library/batch_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace jobrunner {
namespace {

bool Finishes(const v1::StreamResultsResponse& response) {
  return !response.events().empty() && response.events().rbegin()->has_batch_finished();
}

}  // namespace

BatchReader::BatchReader(Open open, v1::StreamResultsRequest request, RetryLimits limits,
                         const CallOptions& call)
    : open_(std::move(open)),
      served_after_(limits.served_after),
      stop_(call.stop),
      request_(std::move(request)),
      retry_(limits, call),
      on_stop_(stop_, [this] { Cancel(); }) {}

BatchReader::~BatchReader() = default;

absl::StatusOr<std::optional<v1::StreamResultsResponse>> BatchReader::Next() {
  while (!finished_) {
    v1::StreamResultsResponse response;
    if (Opened()->Read(&response)) {
      if (absl::Status status = Advance(&response); !status.ok()) return status;
      finished_ = Finishes(response);
      if (!response.events().empty()) return response;
    } else if (absl::Status ended = Close(); ended.ok()) {
      finished_ = true;
    } else if (absl::Status status = retry_.AwaitNext(ended); !status.ok()) {
      return status;
    }
  }
  return std::nullopt;
}

std::shared_ptr<BatchReader::Stream> BatchReader::Opened() {
  std::shared_ptr<Stream> stream;
  {
    absl::MutexLock lock(&mutex_);
    if (stream_ != nullptr) return stream_;
    stream_ = stream = open_(request_, retry_.TimeLeft());
    // It may have been stopped before there was something to cancel.
    if (stop_.stop_requested()) stream->Cancel();
  }
  // Without the lock, which whoever stops it needs.
  stream->Begin();
  opened_at_ = std::chrono::steady_clock::now();
  return stream;
}

absl::Status BatchReader::Close() {
  const auto lasted = std::chrono::steady_clock::now() - opened_at_;
  if (absl::FromChrono(lasted) >= served_after_) retry_.Progress();
  absl::MutexLock lock(&mutex_);
  absl::Status status = stream_->Finish();
  stream_.reset();
  return status;
}

void BatchReader::Cancel() {
  absl::MutexLock lock(&mutex_);
  if (stream_ != nullptr) stream_->Cancel();
}

absl::Status BatchReader::Advance(v1::StreamResultsResponse* response) {
  auto* events = response->mutable_events();
  int seen = 0;
  for (const v1::Event& event : *events) {
    const int64_t last = request_.after_sequence();
    if (event.sequence() <= last) {
      ++seen;
      continue;
    }
    if (request_.kinds().empty() && event.sequence() != last + 1) {
      return absl::DataLossError(absl::StrCat("the server left out events ", last + 1, " to ",
                                              event.sequence() - 1, " of batch ",
                                              request_.batch_id()));
    }
    request_.set_after_sequence(event.sequence());
  }
  events->DeleteSubrange(0, seen);
  if (!events->empty()) retry_.Progress();
  return absl::OkStatus();
}

}  // namespace jobrunner
