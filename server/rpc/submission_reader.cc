#include "rpc/submission_reader.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include <optional>
#include <utility>

#include "base/status_macros.h"
#include "engine/fingerprint.h"
#include "engine/limits.h"
#include "engine/serialized_jobs.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"
#include "jobrunner/v1/job_service.pb.h"
#include "rpc/request_rules.h"
#include "rpc/status.h"

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

absl::Status Malformed() { return absl::InvalidArgumentError("the request is malformed"); }

bool ReadText(CodedInputStream* input, std::string* text) {
  uint32_t size = 0;
  return input->ReadVarint32(&size) && input->ReadString(text, static_cast<int>(size));
}

// Calls field(tag, input) for each field of the request; what it does not take it must skip.
template <typename Field>
absl::Status WalkRequest(grpc::ByteBuffer* request, Field field) {
  grpc::ProtoBufferReader reader(request);
  if (!reader.status().ok()) return Malformed();
  CodedInputStream input(&reader);
  while (const uint32_t tag = input.ReadTag()) RETURN_IF_ERROR(field(tag, &input));
  return input.ConsumedEntireMessage() ? absl::OkStatus() : Malformed();
}

absl::Status SkipField(uint32_t tag, CodedInputStream* input) {
  return WireFormatLite::SkipField(input, tag) ? absl::OkStatus() : Malformed();
}

// The id alone, since the batch may stand before it. The batch's bytes are passed over by the
// buffer.
absl::StatusOr<std::string> ReadRequestId(grpc::ByteBuffer* request) {
  std::string request_id;
  RETURN_IF_ERROR(WalkRequest(request, [&](uint32_t tag, CodedInputStream* input) {
    if (tag != kRequestIdTag) return SkipField(tag, input);
    return ReadText(input, &request_id) ? absl::OkStatus() : Malformed();
  }));
  RETURN_IF_ERROR(CheckRequestId(request_id));
  return request_id;
}

class Reader {
 public:
  Reader(std::string batch_id, std::string request_id, const engine::ValidationLimits& limits,
         const engine::WorkCatalog& catalog)
      : validator_("batch", limits, catalog, &violations_),
        cutter_(batch_id, limits.jobs_per_batch_max,
                [this](int32_t position, const v1::Job& job) { See(position, job); }) {
    submission_.batch_id = std::move(batch_id);
    submission_.request_id = std::move(request_id);
    if (!submission_.request_id.empty()) fingerprint_.emplace();
  }

  // A piece of the batch.
  absl::Status Read(CodedInputStream* input) {
    int size = 0;
    if (!input->ReadVarintSizeAsInt(&size)) return Malformed();
    const CodedInputStream::Limit limit = input->PushLimit(size);
    while (const uint32_t tag = input->ReadTag()) {
      RETURN_IF_ERROR(tag == engine::kJobTag ? ReadJob(input) : Gather(tag, input));
    }
    if (!input->ConsumedEntireMessage() || input->BytesUntilLimit() != 0) return Malformed();
    input->PopLimit(limit);
    return absl::OkStatus();
  }

  absl::StatusOr<engine::Submission> Finish() {
    ASSIGN_OR_RETURN(submission_.shards, cutter_.Finish());
    if (!submission_.spec.ParseFromString(description_)) {
      return InvalidField("batch", "is malformed, or has a text that is not UTF-8");
    }
    validator_.CheckSpec(submission_.spec);
    validator_.CheckCount(cutter_.job_count());
    RETURN_IF_ERROR(ToStatus(violations_));
    submission_.job_count = static_cast<int32_t>(cutter_.job_count());
    if (fingerprint_) submission_.fingerprint = fingerprint_->Finish(submission_.spec);
    return std::move(submission_);
  }

 private:
  void See(int32_t position, const v1::Job& job) {
    validator_.CheckJob(position, job);
    if (fingerprint_) fingerprint_->AddJob(job);
  }

  absl::Status ReadJob(CodedInputStream* input) {
    int size = 0;
    if (!input->ReadVarintSizeAsInt(&size)) return Malformed();
    const void* bytes = nullptr;
    int there = 0;
    if (input->GetDirectBufferPointer(&bytes, &there) && there >= size) {
      input->Skip(size);
      return cutter_.Add({static_cast<const char*>(bytes), static_cast<size_t>(size)});
    }
    // It lies across the end of a slice.
    if (!input->ReadString(&torn_, size)) return Malformed();
    return cutter_.Add(torn_);
  }

  // Any other field, as it is: pieces of a message put side by side are the message.
  absl::Status Gather(uint32_t tag, CodedInputStream* input) {
    StringOutputStream stream(&description_);
    CodedOutputStream output(&stream);
    return WireFormatLite::SkipField(input, tag, &output) ? absl::OkStatus() : Malformed();
  }

  engine::Violations violations_;
  engine::BatchValidator validator_;
  std::optional<engine::Fingerprint> fingerprint_;
  engine::ShardCutter cutter_;
  engine::Submission submission_;
  std::string description_;
  std::string torn_;
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
  Reader reader(std::move(batch_id), std::move(request_id), limits, catalog);
  RETURN_IF_ERROR(WalkRequest(&copy, [&](uint32_t tag, CodedInputStream* input) {
    return tag == kBatchTag ? reader.Read(input) : SkipField(tag, input);
  }));
  return reader.Finish();
}

}  // namespace jobrunner::rpc
