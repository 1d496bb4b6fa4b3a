#include "client/library/client.h"

#include <grpcpp/channel.h>

#include <algorithm>
#include <utility>

#include "client/library/call_retry.h"
#include "client/library/call_timeout.h"
#include "client/library/channel.h"
#include "client/library/grpc_stream.h"
#include "client/library/request_id.h"
#include "client/library/unary_call.h"
#include "client/library/upload.h"
#include "jobrunner/v1/job_service.grpc.pb.h"

namespace jobrunner {
namespace {

// Of one try of a call that has no timeout. Submitting 64 MiB to a busy server takes seconds.
constexpr absl::Duration kTryTimeout = absl::Minutes(2);

absl::Duration OfOneTry(absl::Duration left) {
  return left == absl::InfiniteDuration() ? kTryTimeout : left;
}

v1::StreamResultsRequest OfKind(const std::string& batch_id, v1::EventKind kind) {
  v1::StreamResultsRequest request;
  request.set_batch_id(batch_id);
  request.add_kinds(kind);
  return request;
}

size_t FailuresOf(const v1::BatchFinished& finished) {
  return static_cast<size_t>(finished.failed() + finished.cancelled());
}

}  // namespace

struct Client::Service {
  explicit Service(const std::shared_ptr<grpc::Channel>& channel) : stub(channel) {}

  // One unary call whose response has a batch.
  template <typename Response, typename Method, typename Request>
  absl::StatusOr<v1::Batch> BatchOf(Method method, const Request& request, absl::Duration timeout) {
    auto response = client::UnaryCall<Response>(stub, method, request, timeout);
    if (!response.ok()) return response.status();
    return std::move(*response->mutable_batch());
  }

  v1::JobService::Stub stub;
};

Client::Client(const std::string& address, RetryLimits limits)
    : Client(client::OpenChannel(address), limits) {}

Client::Client(std::shared_ptr<grpc::Channel> channel, RetryLimits limits)
    : limits_(limits), service_(std::make_shared<Service>(channel)) {}

Client::~Client() = default;

template <typename Try>
auto Client::Persist(const CallOptions& call, Try try_once) const {
  client::CallRetry retry(limits_, call);
  for (;;) {
    auto answer = try_once(retry.TimeLeft());
    if (answer.ok()) return answer;
    const absl::Status status = retry.AwaitNext(answer.status());
    if (!status.ok()) return decltype(answer)(status);
  }
}

absl::StatusOr<v1::Batch> Client::Submit(v1::SubmitBatchRequest request, const CallOptions& call) {
  if (client::IsForUpload(request)) {
    client::JobsInMemory jobs(std::exchange(*request.mutable_batch()->mutable_jobs(), {}));
    return Upload(std::move(request), &jobs, call);
  }
  if (request.request_id().empty()) request.set_request_id(client::NewRequestId());
  // Where the call's deadline is the batch's too, there is none but the caller's.
  const bool bounds_batch = request.batch().lifetime() == v1::LIFETIME_CALL_DEADLINE;
  return Persist(call, [&](absl::Duration left) {
    return service_->BatchOf<v1::SubmitBatchResponse>(&v1::JobService::Stub::SubmitBatch, request,
                                                      bounds_batch ? left : OfOneTry(left));
  });
}

absl::StatusOr<v1::Batch> Client::Upload(v1::SubmitBatchRequest header, JobSource* jobs,
                                         const CallOptions& call) {
  if (header.request_id().empty()) header.set_request_id(client::NewRequestId());
  return Persist(call, [&](absl::Duration left) -> absl::StatusOr<v1::Batch> {
    if (absl::Status status = jobs->Rewind(); !status.ok()) return status;
    return client::Upload(&service_->stub, header, jobs, left);
  });
}

std::unique_ptr<BatchReader> Client::Results(v1::StreamResultsRequest request,
                                             const CallOptions& call) {
  using Stream = client::GrpcStream<v1::StreamResultsResponse>;
  const auto open = [service = service_](const v1::StreamResultsRequest& asked,
                                         absl::Duration timeout) {
    return std::make_unique<Stream>(service->stub, &v1::JobService::Stub::StreamResults, asked,
                                    timeout);
  };
  return std::make_unique<BatchReader>(open, std::move(request), limits_, call);
}

std::unique_ptr<BatchReader> Client::Results(const std::string& batch_id, const CallOptions& call) {
  v1::StreamResultsRequest request;
  request.set_batch_id(batch_id);
  request.set_follow(true);
  return Results(std::move(request), call);
}

absl::StatusOr<BatchEnd> Client::Wait(const std::string& batch_id, const CallOptions& call) {
  const client::CallTimeout timeout(call.timeout);
  const auto batch = Get(batch_id, call);
  if (!batch.ok()) return batch.status();
  v1::StreamResultsRequest request = OfKind(batch_id, v1::EVENT_KIND_BATCH_FINISHED);
  request.set_follow(true);
  // The server need not look through a long log for an event that can only be its last.
  request.set_after_sequence(std::max<int64_t>(batch->last_sequence() - 1, 0));
  const auto last = Results(std::move(request), {timeout.Left(), call.stop})->Next();
  if (!last.ok()) return last.status();
  if (!last->has_value()) return absl::DataLossError("the log of the batch has no end");
  BatchEnd end;
  end.finished = (*last)->events().rbegin()->batch_finished();
  if (FailuresOf(end.finished) == 0) return end;
  const absl::Status read = ReadFailed(batch_id, {timeout.Left(), call.stop}, &end);
  if (!read.ok()) return read;
  return end;
}

absl::Status Client::ReadFailed(const std::string& batch_id, const CallOptions& call,
                                BatchEnd* end) {
  const auto reader = Results(OfKind(batch_id, v1::EVENT_KIND_RESULT), call);
  const size_t count = std::min(FailuresOf(end->finished), BatchEnd::kFailedMax);
  while (end->failed.size() < count) {
    auto next = reader->Next();
    if (!next.ok()) return next.status();
    if (!next->has_value()) return absl::OkStatus();
    for (v1::Event& event : *(*next)->mutable_events()) {
      const bool failed = event.has_result() && event.result().state() != v1::JOB_STATE_SUCCEEDED;
      if (failed && end->failed.size() < count) end->failed.push_back(std::move(event));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Batch> Client::Cancel(const v1::CancelRequest& request,
                                         const CallOptions& call) {
  return Persist(call, [&](absl::Duration left) {
    return service_->BatchOf<v1::CancelResponse>(&v1::JobService::Stub::Cancel, request,
                                                 OfOneTry(left));
  });
}

absl::StatusOr<v1::Batch> Client::Get(const std::string& batch_id, const CallOptions& call) {
  v1::GetBatchRequest request;
  request.set_batch_id(batch_id);
  return Persist(call, [&](absl::Duration left) {
    return service_->BatchOf<v1::GetBatchResponse>(&v1::JobService::Stub::GetBatch, request,
                                                   OfOneTry(left));
  });
}

}  // namespace jobrunner
