#include "rpc/uploads.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/refusal.h"
#include "rpc/upload.h"

namespace jobrunner::rpc {

std::shared_ptr<UploadCall> Uploads::Upload(const CallDeadline& deadline,
                                            grpc::ByteBuffer* response) {
  auto call = std::make_shared<UploadCall>(parts_, response);
  const int32_t uploads_max = parts_.server.uploads_max;
  if (open_->fetch_add(1) >= uploads_max) {
    open_->fetch_sub(1);
    call->Refuse(
        engine::Refuse(absl::StatusCode::kResourceExhausted, "TOO_MANY_UPLOADS",
                       absl::StrCat("the server takes ", uploads_max, " uploads at once")));
    return call;
  }
  const auto leave = [open = open_](rpc::Upload* upload) {
    delete upload;
    open->fetch_sub(1);
  };
  call->Begin(std::shared_ptr<rpc::Upload>(new rpc::Upload(parts_.server, deadline), leave));
  return call;
}

}  // namespace jobrunner::rpc
