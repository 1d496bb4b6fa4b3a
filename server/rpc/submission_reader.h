// A batch on its way in, read off the wire.

#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <string>

#include "absl/status/statusor.h"
#include "engine/submission.h"
#include "engine/validation.h"
#include "engine/work_catalog.h"

namespace jobrunner::rpc {

// Reads a SubmitBatchRequest or a RunBatchRequest (they have the same fields):
//
//   request := (0x0A length request_id | 0x12 length batch | unknown)*
//   batch   := (0x2A length job | field)*
//
// Each job's bytes go to a shard as they are, and are parsed with their shard, once; the other
// fields are gathered and parsed as the batch's description. Fields may come in any order, and the
// batch in several pieces, as protobuf allows. The submission is validated and has its fingerprint
// if it has a request_id. INVALID_ARGUMENT, PERMISSION_DENIED. Any thread; takes about half a
// microsecond a job.
absl::StatusOr<engine::Submission> ReadSubmission(const grpc::ByteBuffer& request,
                                                  std::string batch_id,
                                                  const engine::ValidationLimits& limits,
                                                  const engine::WorkCatalog& catalog);

}  // namespace jobrunner::rpc
