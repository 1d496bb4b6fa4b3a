#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/backoff.h"
#include "client/interrupt.h"
#include "client/job_source.h"

namespace jobrunner::v1 {
class BackUpResponse;
class Batch;
class CancelRequest;
class DeleteBatchRequest;
class DrainRequest;
class GetJobRequest;
class GetServerInfoResponse;
class GetStatisticsResponse;
class JobStatus;
class ListBatchesRequest;
class ListBatchesResponse;
class ListJobsRequest;
class ListJobsResponse;
class PoolStatistics;
class QueueInfo;
class ResizePoolRequest;
class RetryJobsRequest;
class StreamErrorsRequest;
class StreamErrorsResponse;
class StreamResultsRequest;
class StreamResultsResponse;
class SubmitBatchRequest;
}  // namespace jobrunner::v1

namespace jobrunner::client {

// What stock servers and clients take in one message, less what frames it.
inline constexpr int64_t kMessageBytesMax = (4 << 20) - 1024;

// One call that streams messages in. Read blocks, on one thread; Cancel may be called from any, at
// any time, and makes Read return.
template <typename Response>
class MessageStream {
 public:
  virtual ~MessageStream() = default;

  // False at the end, for good or bad.
  virtual bool Read(Response* response) = 0;
  // How it ended, once Read was false.
  virtual absl::Status Finish() = 0;
  virtual void Cancel() = 0;
};

using ResultStream = MessageStream<v1::StreamResultsResponse>;
using ErrorStream = MessageStream<v1::StreamErrorsResponse>;

// A server, as the commands see it. Every method may be called from any thread; unary calls block
// until the answer, `kCallTimeout` at most. Errors are those of FromGrpc.
class JobClient {
 public:
  // `address` as gRPC takes it: host:port, unix:PATH. Connects with the first call.
  explicit JobClient(const std::string& address);
  ~JobClient();

  JobClient(const JobClient&) = delete;
  JobClient& operator=(const JobClient&) = delete;

  // UNAVAILABLE at once when nothing answers at the address, or after `timeout`.
  absl::Status Connect(absl::Duration timeout);

  // Tries again, with the same request_id (made here when it is empty), while the server is away or
  // full, as long as `limits` say. CANCELLED when `interrupt` fires. A request of more than
  // kMessageBytesMax is uploaded, unless one of its jobs alone has as many.
  absl::StatusOr<v1::Batch> SubmitBatch(v1::SubmitBatchRequest request, Backoff::Limits limits,
                                        Interrupt* interrupt);
  // The same, of a batch of any size: `header` has no jobs, they come from `jobs`, whose errors end
  // it. Takes as long as it takes.
  absl::StatusOr<v1::Batch> UploadBatch(v1::SubmitBatchRequest header, JobSource* jobs,
                                        Backoff::Limits limits, Interrupt* interrupt);

  std::unique_ptr<ResultStream> StreamResults(const v1::StreamResultsRequest& request);
  std::unique_ptr<ErrorStream> StreamErrors(const v1::StreamErrorsRequest& request);

  absl::StatusOr<v1::Batch> Cancel(const v1::CancelRequest& request);
  absl::Status DeleteBatch(const v1::DeleteBatchRequest& request);
  absl::StatusOr<v1::Batch> RetryJobs(const v1::RetryJobsRequest& request);
  absl::StatusOr<v1::Batch> GetBatch(const std::string& batch_id);
  absl::StatusOr<v1::JobStatus> GetJob(const v1::GetJobRequest& request);
  absl::StatusOr<v1::ListBatchesResponse> ListBatches(const v1::ListBatchesRequest& request);
  absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request);

  absl::StatusOr<v1::GetServerInfoResponse> GetServerInfo();
  absl::StatusOr<v1::GetStatisticsResponse> GetStatistics();
  absl::StatusOr<v1::QueueInfo> PauseQueue(const std::string& queue);
  absl::StatusOr<v1::QueueInfo> ResumeQueue(const std::string& queue);
  absl::StatusOr<v1::PoolStatistics> ResizePool(const v1::ResizePoolRequest& request);
  absl::Status Drain(const v1::DrainRequest& request);
  // Waits for as long as it takes, a day at most.
  absl::StatusOr<v1::BackUpResponse> BackUp();

  // Whether the server says that it serves (grpc.health.v1).
  absl::StatusOr<bool> CheckHealth(absl::Duration timeout);

 private:
  struct Stubs;

  // Calls try_once until it succeeds or there is no point in another try.
  static absl::StatusOr<v1::Batch> Persist(
      const std::function<absl::StatusOr<v1::Batch>()>& try_once, Backoff::Limits limits,
      Interrupt* interrupt);

  const std::string address_;
  const std::unique_ptr<Stubs> stubs_;
};

}  // namespace jobrunner::client
