// The messages of an UploadBatch become a submission.

#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "engine/submission.h"
#include "jobrunner/v1/batch.pb.h"
#include "rpc/call_deadline.h"
#include "rpc/service_parts.h"
#include "rpc/shard_stager.h"
#include "rpc/submission_builder.h"

namespace jobrunner::rpc {

// One upload, without its call:
//
//   upload  := header jobs* end
//   message := (0x0A length SubmitBatchRequest | 0x12 length UploadJobs | 0x1A length UploadEnd |
//              unknown)*
//
// Its shards are staged as they come; what is staged when it goes, and was not accepted, goes with
// it. Used on one thread at a time, which waits for the store.
class Upload {
 public:
  // All that `parts` has outlives it.
  Upload(const ServerParts& parts, const CallDeadline& deadline);

  // Reads the next message, and says whether it was the last one. The errors of UploadBatch that
  // are not the engine's; after one it is spent.
  absl::StatusOr<bool> Read(grpc::ByteBuffer message);

  // What was uploaded, once the last message was read.
  absl::StatusOr<engine::Submission> Finish();
  // What the submission was answered.
  void Answered(const absl::StatusOr<v1::Batch>& batch) { stager_.Answered(batch); }

 private:
  using CodedInputStream = google::protobuf::io::CodedInputStream;

  absl::Status ReadField(uint32_t tag, CodedInputStream* input);
  absl::Status ReadHeader(CodedInputStream* input);
  absl::Status ReadJobs(CodedInputStream* input);
  absl::Status ReadEnd(CodedInputStream* input);

  const ServerParts& parts_;
  const CallDeadline deadline_;
  ShardStager stager_;
  // Once there was a header.
  std::optional<SubmissionBuilder> builder_;
  v1::BatchSpec description_;
  base::SteadyTime batch_deadline_ = base::SteadyTime::max();
  int64_t messages_ = 0;
  bool ended_ = false;
};

}  // namespace jobrunner::rpc
