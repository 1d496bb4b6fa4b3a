#include "rpc/upload_call.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/refusal.h"
#include "jobrunner/v1/job_service.pb.h"
#include "rpc/admission.h"
#include "rpc/message_bytes.h"
#include "rpc/status.h"

namespace jobrunner::rpc {
namespace {

absl::Status NoEnd() {
  return engine::Refuse(absl::StatusCode::kInvalidArgument, "UPLOAD_INCOMPLETE",
                        "end: is missing: the messages ended, and the upload did not");
}

absl::Status Silent(std::chrono::nanoseconds idle_max) {
  return engine::Refuse(
      absl::StatusCode::kAborted, "UPLOAD_IDLE",
      absl::StrCat("no message of the upload came for ",
                   std::chrono::ceil<std::chrono::seconds>(idle_max).count(), " s"));
}

}  // namespace

void UploadCall::Begin(std::shared_ptr<Upload> upload) {
  {
    absl::MutexLock lock(&mutex_);
    upload_ = std::move(upload);
  }
  Register();
  ReadNext();
  WatchSilence(parts_.server.clock->Read().steady + parts_.server.upload_idle_max);
}

void UploadCall::Refuse(const absl::Status& status) {
  Register();
  End(status);
}

void UploadCall::Register() {
  self_ = shared_from_this();
  if (!parts_.calls->StreamBegan(this, self_)) EndByServer();
}

void UploadCall::EndByServer() {
  End(engine::Refuse(absl::StatusCode::kUnavailable, "DRAINING", "the server is draining"));
}

void UploadCall::OnReadDone(bool ok) {
  grpc::ByteBuffer message;
  {
    absl::MutexLock lock(&mutex_);
    waits_since_ = base::SteadyTime::max();
    message.Swap(&message_);
  }
  // That the client has no more to send looks as its going does: so the end of the messages alone
  // is never taken for the end of the batch.
  if (!ok) return End(NoEnd());
  parts_.threads->intake.Post([self = shared_from_this(), message] { self->Take(message); });
}

void UploadCall::OnCancel() {
  std::shared_ptr<Upload> upload;
  absl::MutexLock lock(&mutex_);
  upload =
      FinishUpTo(Phase::kSubmitting, ToGrpcStatus(absl::CancelledError("the call was cancelled")));
}

void UploadCall::OnDone() {
  parts_.calls->StreamEnded(this);
  // The last thing: it may be the end of *this.
  const auto self = std::move(self_);
}

void UploadCall::ReadNext() {
  absl::MutexLock lock(&mutex_);
  if (phase_ != Phase::kReceiving) return;
  waits_since_ = parts_.server.clock->Read().steady;
  StartRead(&message_);
}

void UploadCall::Take(grpc::ByteBuffer message) {
  std::shared_ptr<Upload> upload;
  {
    absl::MutexLock lock(&mutex_);
    upload = upload_;
  }
  // It ended meanwhile.
  if (upload == nullptr) return;
  const absl::StatusOr<bool> last = upload->Read(message);
  if (!last.ok()) return End(last.status());
  *last ? Submit(upload) : ReadNext();
}

void UploadCall::Submit(const std::shared_ptr<Upload>& upload) {
  absl::StatusOr<engine::Submission> submission = upload->Finish();
  if (!submission.ok()) return End(submission.status());
  bool gone = false;
  {
    absl::MutexLock lock(&mutex_);
    if (phase_ == Phase::kReceiving) phase_ = Phase::kSubmitting;
    gone = phase_ == Phase::kFinished;
    upload_ = nullptr;
  }
  if (gone) return upload->Answered(absl::CancelledError("the call has ended"));
  Admit(parts_, *std::move(submission),
        [self = shared_from_this(), upload](const absl::StatusOr<v1::Batch>& batch) {
          upload->Answered(batch);
          self->Answer(batch);
        });
}

void UploadCall::Answer(const absl::StatusOr<v1::Batch>& batch) {
  v1::UploadBatchResponse response;
  if (batch.ok()) *response.mutable_batch() = *batch;
  grpc::ByteBuffer bytes = SerializeMessage(response);
  absl::MutexLock lock(&mutex_);
  if (phase_ != Phase::kSubmitting) return;
  if (batch.ok()) response_->Swap(&bytes);
  FinishUpTo(Phase::kSubmitting, ToGrpcStatus(batch.status()));
}

void UploadCall::End(const absl::Status& status) {
  std::shared_ptr<Upload> upload;
  absl::MutexLock lock(&mutex_);
  upload = FinishUpTo(Phase::kReceiving, ToGrpcStatus(status));
}

std::shared_ptr<Upload> UploadCall::FinishUpTo(Phase last, const grpc::Status& status) {
  if (phase_ > last || phase_ == Phase::kFinished) return nullptr;
  phase_ = Phase::kFinished;
  Finish(status);
  return std::exchange(upload_, nullptr);
}

void UploadCall::WatchSilence(base::SteadyTime at) {
  parts_.threads->replies.PostAt(at, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->LookForSilence();
  });
}

void UploadCall::LookForSilence() {
  const std::chrono::nanoseconds idle_max = parts_.server.upload_idle_max;
  const base::SteadyTime now = parts_.server.clock->Read().steady;
  base::SteadyTime waits_since;
  {
    absl::MutexLock lock(&mutex_);
    if (phase_ != Phase::kReceiving) return;
    waits_since = std::min(waits_since_, now);
  }
  if (now - waits_since >= idle_max) return End(Silent(idle_max));
  WatchSilence(waits_since + idle_max);
}

}  // namespace jobrunner::rpc
