// jobrunner.v1.AdminService.

#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "jobrunner/v1/admin_service.grpc.pb.h"
#include "rpc/service_parts.h"
#include "rpc/unary_call.h"

namespace jobrunner::rpc {

// Raw, as JobService.
using RawAdminService = v1::AdminService::WithRawCallbackMethod_GetServerInfo<
    v1::AdminService::WithRawCallbackMethod_GetStatistics<
        v1::AdminService::WithRawCallbackMethod_PauseQueue<
            v1::AdminService::WithRawCallbackMethod_ResumeQueue<
                v1::AdminService::WithRawCallbackMethod_ResizePool<
                    v1::AdminService::WithRawCallbackMethod_BackUp<
                        v1::AdminService::WithRawCallbackMethod_Drain<
                            v1::AdminService::Service>>>>>>>;

// gRPC's threads call it; no method blocks.
class AdminService final : public RawAdminService {
 public:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Unary = grpc::ServerUnaryReactor;

  // `parts` outlives it. The server counts as started now.
  explicit AdminService(const ServiceParts& parts);

  Unary* GetServerInfo(Context* context, const Bytes* request, Bytes* response) override;
  Unary* GetStatistics(Context* context, const Bytes* request, Bytes* response) override;
  Unary* PauseQueue(Context* context, const Bytes* request, Bytes* response) override;
  Unary* ResumeQueue(Context* context, const Bytes* request, Bytes* response) override;
  Unary* ResizePool(Context* context, const Bytes* request, Bytes* response) override;
  Unary* Drain(Context* context, const Bytes* request, Bytes* response) override;
  Unary* BackUp(Context* context, const Bytes* request, Bytes* response) override;

 private:
  using Call = std::shared_ptr<UnaryCall>;

  void ShowServer(const Call& call);
  void Count(const Call& call);
  template <typename Response>
  void SetPaused(const std::string& queue, bool paused, const Call& call);
  void Resize(const v1::ResizePoolRequest& request, const Call& call);
  void MakeBackup(const Call& call);
  void BeginDrain(const v1::DrainRequest& request, const Call& call);

  const ServiceParts& parts_;
  const base::Now start_;
};

}  // namespace jobrunner::rpc
