#include "client/job_client.h"

#include <grpc/support/log.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/call_error.h"
#include "client/request_id.h"
#include "client/upload.h"
#include "grpc/health/v1/health.pb.h"
#include "jobrunner/v1/admin_service.grpc.pb.h"
#include "jobrunner/v1/job_service.grpc.pb.h"

namespace jobrunner::client {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using HealthStub = grpc::TemplatedGenericStub<HealthCheckRequest, HealthCheckResponse>;

// Of a unary call. Submitting 64 MiB to a busy server takes seconds.
constexpr absl::Duration kCallTimeout = absl::Minutes(2);

// Copying a store takes as long as its disk takes.
constexpr absl::Duration kBackupTimeout = absl::Hours(24);

constexpr absl::Duration kAskedDelayMax = absl::Seconds(30);

std::chrono::system_clock::time_point In(absl::Duration duration) {
  return absl::ToChronoTime(absl::Now() + duration);
}

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  // A request may be as large as the server takes it; its messages are smaller than this.
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetMaxReceiveMessageSize(16 << 20);
  // Finds a dead connection; the server permits a ping every 10 s.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  // A proxy in the environment is for the web, not for the service on this machine.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

// gRPC's own log says nothing that the status of a call does not.
void SilenceGrpcLog() {
  gpr_set_log_function([](gpr_log_func_args*) {});
}

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address) {
  SilenceGrpcLog();
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), Arguments());
}

// One unary call of `stub`'s `method`.
template <typename Response, typename Stub, typename Method, typename Request>
absl::StatusOr<Response> Call(Stub& stub, Method method, const Request& request,
                              absl::Duration timeout = kCallTimeout) {
  grpc::ClientContext context;
  context.set_deadline(In(timeout));
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

// What the server asks for before the next try, within reason.
absl::Duration AskedDelay(const absl::Status& status) {
  const absl::Duration delay = RetryDelay(status);
  return delay <= kAskedDelayMax ? delay : absl::ZeroDuration();
}

template <typename Response>
class GrpcStream final : public MessageStream<Response> {
 public:
  template <typename Stub, typename Method, typename Request>
  GrpcStream(Stub& stub, Method method, const Request& request)
      : reader_((stub.*method)(&context_, request)) {}

  ~GrpcStream() override {
    context_.TryCancel();
    if (!finished_) reader_->Finish();
  }

  bool Read(Response* response) override { return reader_->Read(response); }

  absl::Status Finish() override {
    finished_ = true;
    return FromGrpc(reader_->Finish());
  }

  void Cancel() override { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  const std::unique_ptr<grpc::ClientReader<Response>> reader_;
  bool finished_ = false;
};

}  // namespace

struct JobClient::Stubs {
  explicit Stubs(const std::string& address)
      : channel(OpenChannel(address)), jobs(channel), admin(channel), health(channel) {}

  const std::shared_ptr<grpc::Channel> channel;
  v1::JobService::Stub jobs;
  v1::AdminService::Stub admin;
  HealthStub health;
};

JobClient::JobClient(const std::string& address)
    : address_(address), stubs_(std::make_unique<Stubs>(address)) {}

JobClient::~JobClient() = default;

absl::Status JobClient::Connect(absl::Duration timeout) {
  const auto deadline = In(timeout);
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

absl::StatusOr<v1::Batch> JobClient::SubmitBatch(v1::SubmitBatchRequest request,
                                                 Backoff::Limits limits, Interrupt* interrupt) {
  if (IsForUpload(request)) {
    JobsInMemory jobs(std::exchange(*request.mutable_batch()->mutable_jobs(), {}));
    return UploadBatch(std::move(request), &jobs, limits, interrupt);
  }
  if (request.request_id().empty()) request.set_request_id(NewRequestId());
  const auto submit = [&]() -> absl::StatusOr<v1::Batch> {
    auto response =
        Call<v1::SubmitBatchResponse>(stubs_->jobs, &v1::JobService::Stub::SubmitBatch, request);
    if (!response.ok()) return response.status();
    return std::move(*response->mutable_batch());
  };
  return Persist(submit, limits, interrupt);
}

absl::StatusOr<v1::Batch> JobClient::UploadBatch(v1::SubmitBatchRequest header, JobSource* jobs,
                                                 Backoff::Limits limits, Interrupt* interrupt) {
  if (header.request_id().empty()) header.set_request_id(NewRequestId());
  const auto upload = [&]() -> absl::StatusOr<v1::Batch> {
    if (absl::Status status = jobs->Rewind(); !status.ok()) return status;
    return Upload(&stubs_->jobs, header, jobs);
  };
  return Persist(upload, limits, interrupt);
}

absl::StatusOr<v1::Batch> JobClient::Persist(
    const std::function<absl::StatusOr<v1::Batch>()>& try_once, Backoff::Limits limits,
    Interrupt* interrupt) {
  Backoff backoff(limits);
  for (;;) {
    auto batch = try_once();
    if (batch.ok() || !MayRetryCall(batch.status())) return batch;
    const absl::Duration wait = backoff.AfterFailure(absl::Now());
    if (wait == absl::InfiniteDuration()) return batch;
    if (!interrupt->Sleep(std::max(wait, AskedDelay(batch.status())))) {
      return absl::CancelledError("interrupted");
    }
  }
}

std::unique_ptr<ResultStream> JobClient::StreamResults(const v1::StreamResultsRequest& request) {
  return std::make_unique<GrpcStream<v1::StreamResultsResponse>>(
      stubs_->jobs, &v1::JobService::Stub::StreamResults, request);
}

std::unique_ptr<ErrorStream> JobClient::StreamErrors(const v1::StreamErrorsRequest& request) {
  return std::make_unique<GrpcStream<v1::StreamErrorsResponse>>(
      stubs_->jobs, &v1::JobService::Stub::StreamErrors, request);
}

absl::StatusOr<v1::Batch> JobClient::Cancel(const v1::CancelRequest& request) {
  auto response = Call<v1::CancelResponse>(stubs_->jobs, &v1::JobService::Stub::Cancel, request);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_batch());
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

absl::StatusOr<v1::Batch> JobClient::GetBatch(const std::string& batch_id) {
  v1::GetBatchRequest request;
  request.set_batch_id(batch_id);
  auto response =
      Call<v1::GetBatchResponse>(stubs_->jobs, &v1::JobService::Stub::GetBatch, request);
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
  grpc::ClientContext context;
  context.set_deadline(In(timeout));
  const HealthCheckRequest request;
  HealthCheckResponse response;
  std::promise<grpc::Status> answered;
  stubs_->health.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &request, &response,
                           [&](grpc::Status status) { answered.set_value(std::move(status)); });
  const grpc::Status status = answered.get_future().get();
  if (!status.ok()) return FromGrpc(status);
  return response.status() == HealthCheckResponse::SERVING;
}

}  // namespace jobrunner::client
