#include "client/batch_canceller.h"

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/library/call_error.h"
#include "client/library/client.h"
#include "jobrunner/v1/batch.pb.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {

BatchCanceller::BatchCanceller(Client* client) : client_(client), thread_([this] { Work(); }) {}

BatchCanceller::~BatchCanceller() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  leaving_.request_stop();
  thread_.join();
}

void BatchCanceller::Add(const std::string& batch_id) {
  absl::MutexLock lock(&mutex_);
  open_.insert(batch_id);
}

void BatchCanceller::Remove(const std::string& batch_id) {
  absl::MutexLock lock(&mutex_);
  open_.erase(batch_id);
}

void BatchCanceller::CancelAll(const std::string& reason) {
  absl::MutexLock lock(&mutex_);
  if (!reason_) reason_ = reason;
}

void BatchCanceller::Work() {
  while (const auto batch_id = Take()) Cancel(*batch_id);
}

bool BatchCanceller::HasWork() const { return stopping_ || (reason_ && !open_.empty()); }

std::optional<std::string> BatchCanceller::Take() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &BatchCanceller::HasWork));
  if (stopping_) return std::nullopt;
  return open_.extract(open_.begin()).value();
}

// A batch whose cancel does not get through is tried again, behind the others.
void BatchCanceller::Cancel(const std::string& batch_id) {
  v1::CancelRequest request;
  request.set_batch_id(batch_id);
  {
    absl::MutexLock lock(&mutex_);
    request.set_reason(*reason_);
  }
  const absl::Status status = client_->Cancel(request, {.stop = leaving_.get_token()}).status();
  if (!MayRetryCall(status)) return;
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&stopping_), absl::Seconds(1));
  open_.insert(batch_id);
}

}  // namespace jobrunner::client
