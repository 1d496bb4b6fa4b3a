#include "rpc/upload.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "engine/engine_thread.h"
#include "engine/limits.h"
#include "engine/refusal.h"
#include "engine/serialized_jobs.h"
#include "google/protobuf/wire_format_lite.h"
#include "jobrunner/v1/job_service.pb.h"
#include "rpc/admission.h"
#include "rpc/message_bytes.h"
#include "rpc/request_rules.h"
#include "rpc/status.h"

namespace jobrunner::rpc {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr uint32_t LengthDelimitedTag(int field) {
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
}
constexpr uint32_t kHeaderTag = LengthDelimitedTag(v1::UploadBatchRequest::kHeaderFieldNumber);
constexpr uint32_t kJobsTag = LengthDelimitedTag(v1::UploadBatchRequest::kJobsFieldNumber);
constexpr uint32_t kEndTag = LengthDelimitedTag(v1::UploadBatchRequest::kEndFieldNumber);
static_assert(engine::kJobTag == LengthDelimitedTag(v1::UploadJobs::kJobsFieldNumber));

absl::Status SkipField(uint32_t tag, CodedInputStream* input) {
  return WireFormatLite::SkipField(input, tag) ? absl::OkStatus() : MalformedRequest();
}

// The message at `input`, after its tag.
template <typename Read>
absl::Status ReadEmbedded(CodedInputStream* input, Read read) {
  int size = 0;
  if (!input->ReadVarintSizeAsInt(&size)) return MalformedRequest();
  const CodedInputStream::Limit limit = input->PushLimit(size);
  RETURN_IF_ERROR(read());
  if (input->BytesUntilLimit() != 0) return MalformedRequest();
  input->PopLimit(limit);
  return absl::OkStatus();
}

absl::Status Parse(CodedInputStream* input, google::protobuf::Message* message) {
  return ReadEmbedded(input, [&] {
    return message->MergeFromCodedStream(input) ? absl::OkStatus() : MalformedRequest();
  });
}

absl::Status CheckSize(int64_t message, size_t bytes) {
  if (static_cast<int64_t>(bytes) <= engine::kUploadMessageBytesMax) return absl::OkStatus();
  return engine::Refuse(
      absl::StatusCode::kInvalidArgument, "MESSAGE_TOO_LARGE",
      absl::StrCat("message ", message, " of the upload has ", bytes, " bytes, at most ",
                   engine::kUploadMessageBytesMax, " are allowed"));
}

absl::Status Incomplete(int64_t sent, int64_t came) {
  return engine::Refuse(
      absl::StatusCode::kInvalidArgument, "UPLOAD_INCOMPLETE",
      absl::StrCat("end.jobs_sent: says that ", sent, " jobs were sent, but ", came, " have come"));
}

}  // namespace

Upload::Upload(const ServerParts& parts, const CallDeadline& deadline)
    : parts_(parts), deadline_(deadline), stager_(parts.store, parts.engine->NewBatchId()) {}

absl::StatusOr<bool> Upload::Read(grpc::ByteBuffer message) {
  ++messages_;
  // An empty message may come without a buffer.
  if (!message.Valid()) message = grpc::ByteBuffer(nullptr, 0);
  RETURN_IF_ERROR(CheckSize(messages_, message.Length()));
  grpc::ProtoBufferReader reader(&message);
  if (!reader.status().ok()) return MalformedRequest();
  CodedInputStream input(&reader);
  while (const uint32_t tag = input.ReadTag()) RETURN_IF_ERROR(ReadField(tag, &input));
  if (!input.ConsumedEntireMessage()) return MalformedRequest();
  if (!builder_) return InvalidField("header", "is missing: it is the first message");
  // What there is to be said of all jobs, Finish says.
  if (!ended_) RETURN_IF_ERROR(builder_->CheckJobs());
  return ended_;
}

absl::Status Upload::ReadField(uint32_t tag, CodedInputStream* input) {
  switch (tag) {
    case kHeaderTag:
      if (builder_) return InvalidField("header", "is in the first message alone");
      return ReadHeader(input);
    case kJobsTag:
      if (!builder_ || ended_) return InvalidField("jobs", "come between the header and the end");
      return ReadJobs(input);
    case kEndTag:
      if (!builder_ || ended_) return InvalidField("end", "comes after the jobs, once");
      return ReadEnd(input);
    default:
      return SkipField(tag, input);
  }
}

absl::Status Upload::ReadHeader(CodedInputStream* input) {
  v1::SubmitBatchRequest header;
  RETURN_IF_ERROR(Parse(input, &header));
  RETURN_IF_ERROR(CheckRequestId(header.request_id()));
  if (!header.batch().jobs().empty()) {
    return InvalidField("header.batch.jobs", "is not empty: jobs follow in messages of their own");
  }
  description_ = std::move(*header.mutable_batch());
  ASSIGN_OR_RETURN(batch_deadline_, BatchDeadline(deadline_, description_));
  builder_.emplace(stager_.batch_id(), header.request_id(), parts_.validation, *parts_.catalog,
                   &stager_);
  RETURN_IF_ERROR(builder_->CheckDescription(description_));
  return CheckRoom(*parts_.store);
}

absl::Status Upload::ReadJobs(CodedInputStream* input) {
  return ReadEmbedded(input, [&] {
    while (const uint32_t tag = input->ReadTag()) {
      RETURN_IF_ERROR(tag == engine::kJobTag ? builder_->ReadJob(input) : SkipField(tag, input));
    }
    return input->ConsumedEntireMessage() ? absl::OkStatus() : MalformedRequest();
  });
}

absl::Status Upload::ReadEnd(CodedInputStream* input) {
  v1::UploadEnd end;
  RETURN_IF_ERROR(Parse(input, &end));
  if (end.has_jobs_sent() && end.jobs_sent() != builder_->jobs_added()) {
    return Incomplete(end.jobs_sent(), builder_->jobs_added());
  }
  ended_ = true;
  return absl::OkStatus();
}

absl::StatusOr<engine::Submission> Upload::Finish() {
  ASSIGN_OR_RETURN(engine::Submission submission, builder_->Finish(std::move(description_)));
  submission.call_deadline = batch_deadline_;
  return submission;
}

}  // namespace jobrunner::rpc
