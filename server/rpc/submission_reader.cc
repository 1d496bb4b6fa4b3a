#include "rpc/submission_reader.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include <utility>

#include "base/status_macros.h"
#include "engine/serialized_jobs.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"
#include "jobrunner/v1/job_service.pb.h"
#include "rpc/message_bytes.h"
#include "rpc/request_rules.h"
#include "rpc/status.h"
#include "rpc/submission_builder.h"

namespace jobrunner::rpc {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

constexpr uint32_t LengthDelimitedTag(int field) {
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
}
constexpr uint32_t kRequestIdTag =
    LengthDelimitedTag(v1::SubmitBatchRequest::kRequestIdFieldNumber);
constexpr uint32_t kBatchTag = LengthDelimitedTag(v1::SubmitBatchRequest::kBatchFieldNumber);
static_assert(kRequestIdTag == LengthDelimitedTag(v1::RunBatchRequest::kRequestIdFieldNumber));
static_assert(kBatchTag == LengthDelimitedTag(v1::RunBatchRequest::kBatchFieldNumber));

bool ReadText(CodedInputStream* input, std::string* text) {
  uint32_t size = 0;
  return input->ReadVarint32(&size) && input->ReadString(text, static_cast<int>(size));
}

// Calls field(tag, input) for each field of the request; what it does not take it must skip.
template <typename Field>
absl::Status WalkRequest(grpc::ByteBuffer* request, Field field) {
  grpc::ProtoBufferReader reader(request);
  if (!reader.status().ok()) return MalformedRequest();
  CodedInputStream input(&reader);
  while (const uint32_t tag = input.ReadTag()) RETURN_IF_ERROR(field(tag, &input));
  return input.ConsumedEntireMessage() ? absl::OkStatus() : MalformedRequest();
}

absl::Status SkipField(uint32_t tag, CodedInputStream* input) {
  return WireFormatLite::SkipField(input, tag) ? absl::OkStatus() : MalformedRequest();
}

// The id alone, since the batch may stand before it. The batch's bytes are passed over by the
// buffer.
absl::StatusOr<std::string> ReadRequestId(grpc::ByteBuffer* request) {
  std::string request_id;
  RETURN_IF_ERROR(WalkRequest(request, [&](uint32_t tag, CodedInputStream* input) {
    if (tag != kRequestIdTag) return SkipField(tag, input);
    return ReadText(input, &request_id) ? absl::OkStatus() : MalformedRequest();
  }));
  RETURN_IF_ERROR(CheckRequestId(request_id));
  return request_id;
}

class Reader {
 public:
  explicit Reader(SubmissionBuilder* builder) : builder_(*builder) {}

  // A piece of the batch.
  absl::Status Read(CodedInputStream* input) {
    int size = 0;
    if (!input->ReadVarintSizeAsInt(&size)) return MalformedRequest();
    const CodedInputStream::Limit limit = input->PushLimit(size);
    while (const uint32_t tag = input->ReadTag()) {
      RETURN_IF_ERROR(tag == engine::kJobTag ? builder_.ReadJob(input) : Gather(tag, input));
    }
    if (!input->ConsumedEntireMessage() || input->BytesUntilLimit() != 0) return MalformedRequest();
    input->PopLimit(limit);
    return absl::OkStatus();
  }

  absl::StatusOr<engine::Submission> Finish() {
    v1::BatchSpec description;
    if (!description.ParseFromString(description_)) {
      return InvalidField("batch", "is malformed, or has a text that is not UTF-8");
    }
    return builder_.Finish(std::move(description));
  }

 private:
  // Any other field, as it is: pieces of a message put side by side are the message.
  absl::Status Gather(uint32_t tag, CodedInputStream* input) {
    StringOutputStream stream(&description_);
    CodedOutputStream output(&stream);
    return WireFormatLite::SkipField(input, tag, &output) ? absl::OkStatus() : MalformedRequest();
  }

  SubmissionBuilder& builder_;
  std::string description_;
};

}  // namespace

absl::StatusOr<engine::Submission> ReadSubmission(const grpc::ByteBuffer& request,
                                                  std::string batch_id,
                                                  const engine::ValidationLimits& limits,
                                                  const engine::WorkCatalog& catalog) {
  grpc::ByteBuffer copy(request);
  // An empty message may come without a buffer.
  if (!copy.Valid()) copy = grpc::ByteBuffer(nullptr, 0);
  ASSIGN_OR_RETURN(std::string request_id, ReadRequestId(&copy));
  SubmissionBuilder builder(std::move(batch_id), std::move(request_id), limits, catalog);
  Reader reader(&builder);
  RETURN_IF_ERROR(WalkRequest(&copy, [&](uint32_t tag, CodedInputStream* input) {
    return tag == kBatchTag ? reader.Read(input) : SkipField(tag, input);
  }));
  return reader.Finish();
}

}  // namespace jobrunner::rpc
