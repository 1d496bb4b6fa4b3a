#include "rpc/job_service.h"

#include <utility>

#include "engine/engine_thread.h"
#include "rpc/disconnect_watcher.h"
#include "rpc/error_stream.h"
#include "rpc/event_stream.h"
#include "rpc/message_bytes.h"
#include "rpc/request_rules.h"

namespace jobrunner::rpc {
namespace {

EventStream::Position PositionOf(const v1::StreamResultsRequest& request) {
  EventStream::Position position;
  position.batch_id = request.batch_id();
  position.after_sequence = request.after_sequence();
  position.follow = request.follow();
  std::vector<v1::EventKind> kinds;
  for (const int kind : request.kinds()) kinds.push_back(static_cast<v1::EventKind>(kind));
  position.kinds = KindFilter(kinds);
  return position;
}

}  // namespace

JobService::Unary* JobService::SubmitBatch(Context* context, const Bytes* request,
                                           Bytes* response) {
  const std::shared_ptr<UnaryCall> call = UnaryCall::Begin(response, parts_.calls);
  submissions_.Submit(TakeRequest(request), DeadlineOf(*context), call);
  return call.get();
}

JobService::InStream* JobService::UploadBatch(Context* context, Bytes* response) {
  return uploads_.Upload(DeadlineOf(*context), response).get();
}

JobService::Stream* JobService::RunBatch(Context* context, const Bytes* request) {
  return submissions_.Run(TakeRequest(request), DeadlineOf(*context)).get();
}

JobService::Stream* JobService::StreamResults(Context* /*context*/, const Bytes* request) {
  v1::StreamResultsRequest message;
  absl::Status status = ParseMessage(*request, &message);
  if (status.ok()) status = CheckStreamResults(message);

  const ServerParts& server = parts_.server;
  std::shared_ptr<DisconnectWatcher> watcher;
  if (message.cancel_on_disconnect()) {
    watcher = std::make_shared<DisconnectWatcher>(server.engine, message.batch_id());
  }
  auto stream = std::make_shared<EventStream>(
      EventStream::Parts{server.store, server.logs, &parts_.threads->replies, parts_.calls},
      [watcher] {
        if (watcher) watcher->Gone();
      });
  stream->Begin();
  if (status.ok()) {
    EventStream::Position position = PositionOf(message);
    if (watcher) position.found = [watcher] { watcher->Came(); };
    stream->Follow(std::move(position));
  } else {
    stream->End(status);
  }
  return stream.get();
}

JobService::Stream* JobService::StreamErrors(Context* /*context*/, const Bytes* request) {
  auto stream =
      std::make_shared<ErrorStream>(parts_.server.errors, &parts_.threads->replies, parts_.calls);
  stream->Begin();
  v1::StreamErrorsRequest message;
  if (const absl::Status status = ParseMessage(*request, &message); status.ok()) {
    stream->Listen({message.queue(), {message.labels().begin(), message.labels().end()}});
  } else {
    stream->End(status);
  }
  return stream.get();
}

JobService::Unary* JobService::Cancel(Context* /*context*/, const Bytes* request, Bytes* response) {
  return ServeUnary<v1::CancelRequest>(
      request, response, parts_.calls,
      [this](const auto& message, const auto& call) { batch_endings_.Cancel(message, call); });
}

JobService::Unary* JobService::GetBatch(Context* /*context*/, const Bytes* request,
                                        Bytes* response) {
  return ServeUnary<v1::GetBatchRequest>(
      request, response, parts_.calls,
      [this](const auto& message, const auto& call) { look_ups_.GetBatch(message, call); });
}

JobService::Unary* JobService::ListBatches(Context* /*context*/, const Bytes* request,
                                           Bytes* response) {
  return ServeUnary<v1::ListBatchesRequest>(
      request, response, parts_.calls,
      [this](const auto& message, const auto& call) { look_ups_.ListBatches(message, call); });
}

JobService::Unary* JobService::GetJob(Context* /*context*/, const Bytes* request, Bytes* response) {
  return ServeUnary<v1::GetJobRequest>(
      request, response, parts_.calls,
      [this](const auto& message, const auto& call) { look_ups_.GetJob(message, call); });
}

JobService::Unary* JobService::ListJobs(Context* /*context*/, const Bytes* request,
                                        Bytes* response) {
  return ServeUnary<v1::ListJobsRequest>(
      request, response, parts_.calls,
      [this](const auto& message, const auto& call) { look_ups_.ListJobs(message, call); });
}

JobService::Unary* JobService::DeleteBatch(Context* /*context*/, const Bytes* request,
                                           Bytes* response) {
  return ServeUnary<v1::DeleteBatchRequest>(
      request, response, parts_.calls,
      [this](const auto& message, const auto& call) { batch_endings_.Delete(message, call); });
}

JobService::Unary* JobService::RetryJobs(Context* /*context*/, const Bytes* request,
                                         Bytes* response) {
  return ServeUnary<v1::RetryJobsRequest>(
      request, response, parts_.calls,
      [this](const auto& message, const auto& call) { retries_.Retry(message, call); });
}

CallDeadline JobService::DeadlineOf(const Context& context) const {
  return CallDeadline(context.deadline(), parts_.server.clock->Read());
}

}  // namespace jobrunner::rpc
