#pragma once

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/library/job_source.h"
#include "jobrunner/v1/job_service.grpc.pb.h"

namespace jobrunner::client {

// What stock servers and clients take in one message, less what frames it.
inline constexpr int64_t kMessageBytesMax = (4 << 20) - 1024;

// One UploadBatch call: the header, which has no jobs, then all of `jobs`. Blocks, and holds one
// message at a time. Errors are those of FromGrpc, and of the source, which end the call; then no
// batch was made.
absl::StatusOr<v1::Batch> Upload(v1::JobService::Stub* service,
                                 const v1::SubmitBatchRequest& header, JobSource* jobs,
                                 absl::Duration timeout);

// Whether a request has to be uploaded and can be: it does not fit one message, and each of its
// jobs does.
bool IsForUpload(const v1::SubmitBatchRequest& request);

// Jobs that are in memory.
class JobsInMemory final : public JobSource {
 public:
  using Jobs = google::protobuf::RepeatedPtrField<v1::Job>;

  explicit JobsInMemory(Jobs jobs) : jobs_(std::move(jobs)) {}

  absl::StatusOr<bool> Next(v1::Job* job) override;
  absl::Status Rewind() override;

 private:
  const Jobs jobs_;
  int next_ = 0;
};

}  // namespace jobrunner::client
