#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/backoff.h"
#include "client/interrupt.h"

namespace jobrunner::v1 {
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
  // full, as long as `limits` say. CANCELLED when `interrupt` fires.
  absl::StatusOr<v1::Batch> SubmitBatch(v1::SubmitBatchRequest request, Backoff::Limits limits,
                                        Interrupt* interrupt);

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

  // Whether the server says that it serves (grpc.health.v1).
  absl::StatusOr<bool> CheckHealth(absl::Duration timeout);

 private:
  struct Stubs;
  const std::string address_;
  const std::unique_ptr<Stubs> stubs_;
};

}  // namespace jobrunner::client
