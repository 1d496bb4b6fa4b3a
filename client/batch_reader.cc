#include "client/batch_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/call_error.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {
namespace {

// CANCELLED that nobody here asked for: a server that goes away ends calls so.
bool MayResume(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsCancelled(status);
}

bool Finishes(const v1::StreamResultsResponse& response) {
  return !response.events().empty() && response.events().rbegin()->has_batch_finished();
}

}  // namespace

BatchReader::BatchReader(JobClient* client, Options options)
    : client_(client), options_(std::move(options)), backoff_(options_.backoff) {}

BatchReader::~BatchReader() = default;

absl::StatusOr<std::optional<v1::StreamResultsResponse>> BatchReader::Next() {
  while (!finished_) {
    if (cancelled_.fired()) return absl::CancelledError("no longer read");
    Open();
    v1::StreamResultsResponse response;
    std::shared_ptr<ResultStream> stream;
    {
      absl::MutexLock lock(&mutex_);
      stream = stream_;
    }
    if (stream->Read(&response)) {
      if (absl::Status status = Advance(&response); !status.ok()) return status;
      finished_ = Finishes(response);
      if (!response.events().empty()) return response;
    } else if (absl::Status ended = Close(); ended.ok()) {
      finished_ = true;
    } else if (absl::Status status = AwaitRetry(ended); !status.ok()) {
      return status;
    }
  }
  return std::nullopt;
}

void BatchReader::Cancel() {
  cancelled_.Fire();
  absl::MutexLock lock(&mutex_);
  if (stream_ != nullptr) stream_->Cancel();
}

void BatchReader::Open() {
  v1::StreamResultsRequest request;
  request.set_batch_id(options_.batch_id);
  request.set_after_sequence(options_.after_sequence);
  request.set_follow(options_.follow);
  request.set_cancel_on_disconnect(options_.cancel_on_disconnect);
  for (const int kind : options_.kinds) request.add_kinds(static_cast<v1::EventKind>(kind));
  absl::MutexLock lock(&mutex_);
  if (stream_ == nullptr) stream_ = client_->StreamResults(request);
  // Cancel came before there was something to cancel.
  if (cancelled_.fired()) stream_->Cancel();
}

absl::Status BatchReader::Close() {
  absl::MutexLock lock(&mutex_);
  absl::Status status = stream_->Finish();
  stream_.reset();
  return status;
}

absl::Status BatchReader::AwaitRetry(const absl::Status& broken) {
  if (cancelled_.fired()) return absl::CancelledError("no longer read");
  if (!MayResume(broken)) return broken;
  const absl::Duration wait = backoff_.AfterFailure(absl::Now());
  if (wait == absl::InfiniteDuration()) {
    return WithMessage(
        broken, absl::StrCat("the server went away and did not come back: ", broken.message()));
  }
  if (!cancelled_.Sleep(wait)) return absl::CancelledError("no longer read");
  return absl::OkStatus();
}

absl::Status BatchReader::Advance(v1::StreamResultsResponse* response) {
  auto* events = response->mutable_events();
  int seen = 0;
  for (const v1::Event& event : *events) {
    if (event.sequence() <= options_.after_sequence) {
      ++seen;
      continue;
    }
    if (options_.kinds.empty() && event.sequence() != options_.after_sequence + 1) {
      return absl::DataLossError(
          absl::StrCat("the server left out events ", options_.after_sequence + 1, " to ",
                       event.sequence() - 1, " of batch ", options_.batch_id));
    }
    options_.after_sequence = event.sequence();
  }
  events->DeleteSubrange(0, seen);
  if (!events->empty()) backoff_.Progress();
  return absl::OkStatus();
}

}  // namespace jobrunner::client
