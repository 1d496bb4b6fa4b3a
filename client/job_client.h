#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/library/client.h"
#include "client/library/message_stream.h"

namespace jobrunner::v1 {
class BackUpResponse;
class DrainRequest;
class GetServerInfoResponse;
class GetStatisticsResponse;
class PoolStatistics;
class QueueInfo;
class ResizePoolRequest;
}  // namespace jobrunner::v1

namespace jobrunner::client {

using ErrorStream = MessageStream<v1::StreamErrorsResponse>;

// A server, as the commands see it: the library's client, and the calls that commands alone need.
// Every method may be called from any thread; unary calls block until the answer, `kCallTimeout` at
// most, and are not tried again. Errors are those of FromGrpc.
class JobClient {
 public:
  // `address` as gRPC takes it: host:port, unix:PATH. Connects with the first call.
  explicit JobClient(const std::string& address, RetryLimits limits = {});
  ~JobClient();

  JobClient(const JobClient&) = delete;
  JobClient& operator=(const JobClient&) = delete;

  // UNAVAILABLE at once when nothing answers at the address, or after `timeout`.
  absl::Status Connect(absl::Duration timeout);

  // Submits, reads, cancels. As long-lived as this.
  Client& batches();

  std::unique_ptr<ErrorStream> StreamErrors(const v1::StreamErrorsRequest& request);

  absl::Status DeleteBatch(const v1::DeleteBatchRequest& request);
  absl::StatusOr<v1::Batch> RetryJobs(const v1::RetryJobsRequest& request);
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

  const std::string address_;
  const std::unique_ptr<Stubs> stubs_;
};

}  // namespace jobrunner::client
