#include "client/library/upload.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/library/call_error.h"
#include "client/library/unary_call.h"

namespace jobrunner::client {
namespace {

// Gathered into one message.
constexpr int64_t kJobsBytesAtOnce = 1 << 20;

// Writes the jobs that are gathered, as soon as they are enough for a message.
class JobWriter {
 public:
  explicit JobWriter(grpc::ClientWriter<v1::UploadBatchRequest>* call) : call_(*call) {}

  // False once the call takes no more.
  absl::StatusOr<bool> Add(v1::Job job) {
    const auto bytes = static_cast<int64_t>(job.ByteSizeLong());
    if (bytes > kMessageBytesMax) {
      return absl::InvalidArgumentError(absl::StrCat("job ", jobs_, " has ", bytes, " bytes, and ",
                                                     kMessageBytesMax, " fit a message"));
    }
    const bool open = bytes_ + bytes <= kMessageBytesMax || Flush();
    message_.mutable_jobs()->mutable_jobs()->Add(std::move(job));
    ++jobs_;
    bytes_ += bytes;
    return open && (bytes_ < kJobsBytesAtOnce || Flush());
  }

  void End() {
    if (bytes_ > 0 && !Flush()) return;
    message_.mutable_end()->set_jobs_sent(jobs_);
    call_.Write(message_);
    call_.WritesDone();
  }

 private:
  bool Flush() {
    const bool open = call_.Write(message_);
    message_.mutable_jobs()->clear_jobs();
    bytes_ = 0;
    return open;
  }

  grpc::ClientWriter<v1::UploadBatchRequest>& call_;
  v1::UploadBatchRequest message_;
  int64_t bytes_ = 0;
  int64_t jobs_ = 0;
};

// All jobs, as long as the call takes them.
absl::Status WriteJobs(JobSource* jobs, grpc::ClientWriter<v1::UploadBatchRequest>* call) {
  JobWriter writer(call);
  v1::Job job;
  for (;;) {
    const auto more = jobs->Next(&job);
    if (!more.ok()) return more.status();
    if (!*more) break;
    const auto open = writer.Add(std::move(job));
    if (!open.ok()) return open.status();
    // Why it is not, its status says.
    if (!*open) return absl::OkStatus();
  }
  writer.End();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Batch> Upload(v1::JobService::Stub* service,
                                 const v1::SubmitBatchRequest& header, JobSource* jobs,
                                 absl::Duration timeout) {
  BoundedContext context(timeout);
  v1::UploadBatchResponse response;
  const auto call = service->UploadBatch(context.get(), &response);
  v1::UploadBatchRequest first;
  *first.mutable_header() = header;
  const absl::Status written = call->Write(first) ? WriteJobs(jobs, call.get()) : absl::OkStatus();
  if (!written.ok()) context.get()->TryCancel();
  const grpc::Status status = call->Finish();
  if (!written.ok()) return written;
  if (!status.ok()) return FromGrpc(status);
  return std::move(*response.mutable_batch());
}

bool IsForUpload(const v1::SubmitBatchRequest& request) {
  const auto fits = [](const google::protobuf::Message& message) {
    return static_cast<int64_t>(message.ByteSizeLong()) <= kMessageBytesMax;
  };
  const auto& jobs = request.batch().jobs();
  return !fits(request) && std::all_of(jobs.begin(), jobs.end(), fits);
}

absl::StatusOr<bool> JobsInMemory::Next(v1::Job* job) {
  if (next_ == jobs_.size()) return false;
  *job = jobs_[next_++];
  return true;
}

absl::Status JobsInMemory::Rewind() {
  next_ = 0;
  return absl::OkStatus();
}

}  // namespace jobrunner::client
