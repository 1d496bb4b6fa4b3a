#include "client/job_client.h"

#include <grpc/support/log.h>
#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/library/call_error.h"
#include "client/library/channel.h"
#include "client/library/grpc_stream.h"
#include "client/library/unary_call.h"
#include "grpc/health/v1/health.pb.h"
#include "jobrunner/v1/admin_service.grpc.pb.h"
#include "jobrunner/v1/job_service.grpc.pb.h"

namespace jobrunner::client {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using HealthStub = grpc::TemplatedGenericStub<HealthCheckRequest, HealthCheckResponse>;

constexpr absl::Duration kCallTimeout = absl::Minutes(2);

// Copying a store takes as long as its disk takes.
constexpr absl::Duration kBackupTimeout = absl::Hours(24);

// gRPC's own log says nothing that the status of a call does not.
void SilenceGrpcLog() {
  gpr_set_log_function([](gpr_log_func_args*) {});
}

std::shared_ptr<grpc::Channel> OpenSilently(const std::string& address) {
  SilenceGrpcLog();
  return OpenChannel(address);
}

template <typename Response, typename Stub, typename Method, typename Request>
absl::StatusOr<Response> Call(Stub& stub, Method method, const Request& request,
                              absl::Duration timeout = kCallTimeout) {
  return UnaryCall<Response>(stub, method, request, timeout);
}

}  // namespace

struct JobClient::Stubs {
  Stubs(const std::string& address, RetryLimits limits)
      : channel(OpenSilently(address)),
        batches(channel, limits),
        jobs(channel),
        admin(channel),
        health(channel) {}

  const std::shared_ptr<grpc::Channel> channel;
  Client batches;
  v1::JobService::Stub jobs;
  v1::AdminService::Stub admin;
  HealthStub health;
};

JobClient::JobClient(const std::string& address, RetryLimits limits)
    : address_(address), stubs_(std::make_unique<Stubs>(address, limits)) {}

JobClient::~JobClient() = default;

absl::Status JobClient::Connect(absl::Duration timeout) {
  const auto deadline = absl::ToChronoTime(absl::Now() + timeout);
  grpc::Channel& channel = *stubs_->channel;
  grpc_connectivity_state state = channel.GetState(true);
  while (state != GRPC_CHANNEL_READY) {
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || !channel.WaitForStateChange(state, deadline)) {
      return FromGrpc(grpc::Status(grpc::StatusCode::UNAVAILABLE,
                                   absl::StrCat("no server answers at ", address_)));
    }
    state = channel.GetState(true);
  }
  return absl::OkStatus();
}

Client& JobClient::batches() { return stubs_->batches; }

std::unique_ptr<ErrorStream> JobClient::StreamErrors(const v1::StreamErrorsRequest& request) {
  return std::make_unique<GrpcStream<v1::StreamErrorsResponse>>(
      stubs_->jobs, &v1::JobService::Stub::StreamErrors, request, absl::InfiniteDuration());
}

absl::Status JobClient::DeleteBatch(const v1::DeleteBatchRequest& request) {
  return Call<v1::DeleteBatchResponse>(stubs_->jobs, &v1::JobService::Stub::DeleteBatch, request)
      .status();
}

absl::StatusOr<v1::Batch> JobClient::RetryJobs(const v1::RetryJobsRequest& request) {
  auto response =
      Call<v1::RetryJobsResponse>(stubs_->jobs, &v1::JobService::Stub::RetryJobs, request);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_batch());
}

absl::StatusOr<v1::JobStatus> JobClient::GetJob(const v1::GetJobRequest& request) {
  auto response = Call<v1::GetJobResponse>(stubs_->jobs, &v1::JobService::Stub::GetJob, request);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_job());
}

absl::StatusOr<v1::ListBatchesResponse> JobClient::ListBatches(
    const v1::ListBatchesRequest& request) {
  return Call<v1::ListBatchesResponse>(stubs_->jobs, &v1::JobService::Stub::ListBatches, request);
}

absl::StatusOr<v1::ListJobsResponse> JobClient::ListJobs(const v1::ListJobsRequest& request) {
  return Call<v1::ListJobsResponse>(stubs_->jobs, &v1::JobService::Stub::ListJobs, request);
}

absl::StatusOr<v1::GetServerInfoResponse> JobClient::GetServerInfo() {
  return Call<v1::GetServerInfoResponse>(stubs_->admin, &v1::AdminService::Stub::GetServerInfo,
                                         v1::GetServerInfoRequest());
}

absl::StatusOr<v1::GetStatisticsResponse> JobClient::GetStatistics() {
  return Call<v1::GetStatisticsResponse>(stubs_->admin, &v1::AdminService::Stub::GetStatistics,
                                         v1::GetStatisticsRequest());
}

absl::StatusOr<v1::QueueInfo> JobClient::PauseQueue(const std::string& queue) {
  v1::PauseQueueRequest request;
  request.set_queue(queue);
  auto response =
      Call<v1::PauseQueueResponse>(stubs_->admin, &v1::AdminService::Stub::PauseQueue, request);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_queue());
}

absl::StatusOr<v1::QueueInfo> JobClient::ResumeQueue(const std::string& queue) {
  v1::ResumeQueueRequest request;
  request.set_queue(queue);
  auto response =
      Call<v1::ResumeQueueResponse>(stubs_->admin, &v1::AdminService::Stub::ResumeQueue, request);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_queue());
}

absl::StatusOr<v1::PoolStatistics> JobClient::ResizePool(const v1::ResizePoolRequest& request) {
  auto response =
      Call<v1::ResizePoolResponse>(stubs_->admin, &v1::AdminService::Stub::ResizePool, request);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_pool());
}

absl::Status JobClient::Drain(const v1::DrainRequest& request) {
  return Call<v1::DrainResponse>(stubs_->admin, &v1::AdminService::Stub::Drain, request).status();
}

absl::StatusOr<v1::BackUpResponse> JobClient::BackUp() {
  return Call<v1::BackUpResponse>(stubs_->admin, &v1::AdminService::Stub::BackUp,
                                  v1::BackUpRequest(), kBackupTimeout);
}

absl::StatusOr<bool> JobClient::CheckHealth(absl::Duration timeout) {
  BoundedContext context(timeout);
  const HealthCheckRequest request;
  HealthCheckResponse response;
  std::promise<grpc::Status> answered;
  stubs_->health.UnaryCall(context.get(), "/grpc.health.v1.Health/Check", {}, &request, &response,
                           [&](grpc::Status status) { answered.set_value(std::move(status)); });
  const grpc::Status status = answered.get_future().get();
  if (!status.ok()) return FromGrpc(status);
  return response.status() == HealthCheckResponse::SERVING;
}

}  // namespace jobrunner::client
