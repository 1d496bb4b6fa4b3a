// UploadBatch.

#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "rpc/call_deadline.h"
#include "rpc/service_parts.h"
#include "rpc/upload_call.h"

namespace jobrunner::rpc {

// Bounds how many uploads there are at once, since each has its share of the server's memory.
// Thread-safe; no method blocks.
class Uploads {
 public:
  explicit Uploads(const ServiceParts& parts) : parts_(parts) {}

  // The call, which has begun, or was refused.
  std::shared_ptr<UploadCall> Upload(const CallDeadline& deadline, grpc::ByteBuffer* response);

 private:
  const ServiceParts& parts_;
  // Shared with each upload, which may be the last to go.
  const std::shared_ptr<std::atomic<int32_t>> open_ = std::make_shared<std::atomic<int32_t>>(0);
};

}  // namespace jobrunner::rpc
