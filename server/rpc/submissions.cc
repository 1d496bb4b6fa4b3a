#include "rpc/submissions.h"

#include <utility>

#include "engine/engine_thread.h"
#include "jobrunner/v1/job_service.pb.h"
#include "rpc/admission.h"
#include "rpc/status.h"
#include "rpc/submission_reader.h"

namespace jobrunner::rpc {
namespace {

// Read on gRPC's own thread: there are two of them on a small machine, and this takes them about a
// millisecond.
constexpr size_t kReadAtOnceBytesMax = 256 << 10;

void Answer(const absl::StatusOr<v1::Batch>& batch, UnaryCall* call) {
  if (!batch.ok()) return call->Refuse(batch.status());
  v1::SubmitBatchResponse response;
  *response.mutable_batch() = *batch;
  call->Answer(response);
}

void Follow(const absl::StatusOr<v1::Batch>& batch, EventStream* stream) {
  if (!batch.ok()) return stream->End(batch.status());
  v1::RunBatchResponse head;
  *head.mutable_batch() = *batch;
  EventStream::Position position;
  position.batch_id = batch->id();
  position.head = head.SerializeAsString();
  stream->Follow(std::move(position));
}

}  // namespace

void Submissions::Submit(const grpc::ByteBuffer& request, const CallDeadline& deadline,
                         std::shared_ptr<UnaryCall> call) {
  Read(request, parts_.server.engine->NewBatchId(),
       [this, deadline, call = std::move(call)](absl::StatusOr<engine::Submission> submission) {
         if (!submission.ok()) return call->Refuse(submission.status());
         const auto batch_deadline = BatchDeadline(deadline, submission->spec);
         if (!batch_deadline.ok()) return call->Refuse(batch_deadline.status());
         submission->call_deadline = *batch_deadline;
         Admit(parts_, *std::move(submission),
               [call](const absl::StatusOr<v1::Batch>& batch) { Answer(batch, call.get()); });
       });
}

std::shared_ptr<EventStream> Submissions::Run(const grpc::ByteBuffer& request,
                                              const CallDeadline& deadline) {
  const ServerParts& server = parts_.server;
  auto owner = std::make_shared<BatchOwner>(server.engine, server.clock,
                                            server.engine->NewBatchId(), deadline);
  auto stream = std::make_shared<EventStream>(
      EventStream::Parts{server.store, server.logs, &parts_.threads->replies, parts_.calls},
      [owner] { owner->ClientGone(); });
  stream->Begin();
  Read(request, owner->batch_id(),
       [this, owner, stream](absl::StatusOr<engine::Submission> submission) {
         if (!submission.ok()) return stream->End(submission.status());
         Own(*std::move(submission), owner, stream);
       });
  return stream;
}

void Submissions::Read(const grpc::ByteBuffer& request, std::string batch_id, Take take) {
  const size_t size = request.Valid() ? request.Length() : 0;
  auto read = [this, request, batch_id = std::move(batch_id), take = std::move(take)]() mutable {
    take(ReadSubmission(request, std::move(batch_id), parts_.server.validation,
                        *parts_.server.catalog));
  };
  if (size <= kReadAtOnceBytesMax) return read();
  parts_.threads->intake.Post(std::move(read));
}

void Submissions::Own(engine::Submission submission, const std::shared_ptr<BatchOwner>& owner,
                      const std::shared_ptr<EventStream>& stream) {
  submission.bound_to_call = true;
  if (owner->deadline().time()) submission.call_deadline = *owner->deadline().time();
  Admit(
      parts_, std::move(submission),
      [stream](const absl::StatusOr<v1::Batch>& batch) { Follow(batch, stream.get()); },
      [owner](engine::Submit submit) { owner->Submit(std::move(submit)); });
}

}  // namespace jobrunner::rpc
