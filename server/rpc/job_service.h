// jobrunner.v1.JobService.

#pragma once

#include "jobrunner/v1/job_service.grpc.pb.h"
#include "rpc/batch_endings.h"
#include "rpc/look_ups.h"
#include "rpc/retries.h"
#include "rpc/service_parts.h"
#include "rpc/submissions.h"
#include "rpc/uploads.h"

namespace jobrunner::rpc {

// Every method is raw: requests are parsed here, so that what does not parse is refused with
// details as any other error, batches are cut up as they are read, and events pass as they are
// stored.
using RawJobService = v1::JobService::WithRawCallbackMethod_SubmitBatch<
    v1::JobService::WithRawCallbackMethod_UploadBatch<
        v1::JobService::WithRawCallbackMethod_RunBatch<
            v1::JobService::WithRawCallbackMethod_StreamResults<
                v1::JobService::WithRawCallbackMethod_StreamErrors<
                    v1::JobService::WithRawCallbackMethod_Cancel<
                        v1::JobService::WithRawCallbackMethod_GetBatch<
                            v1::JobService::WithRawCallbackMethod_ListBatches<
                                v1::JobService::WithRawCallbackMethod_GetJob<
                                    v1::JobService::WithRawCallbackMethod_ListJobs<
                                        v1::JobService::WithRawCallbackMethod_DeleteBatch<
                                            v1::JobService::WithRawCallbackMethod_RetryJobs<
                                                v1::JobService::Service>>>>>>>>>>>>;

// Says who serves which call. gRPC's threads call it; no method blocks.
class JobService final : public RawJobService {
 public:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Unary = grpc::ServerUnaryReactor;
  using Stream = grpc::ServerWriteReactor<grpc::ByteBuffer>;
  using InStream = grpc::ServerReadReactor<grpc::ByteBuffer>;

  // `parts` outlives it.
  explicit JobService(const ServiceParts& parts)
      : parts_(parts),
        submissions_(parts),
        uploads_(parts),
        batch_endings_(parts),
        look_ups_(parts),
        retries_(parts) {}

  Unary* SubmitBatch(Context* context, const Bytes* request, Bytes* response) override;
  InStream* UploadBatch(Context* context, Bytes* response) override;
  Stream* RunBatch(Context* context, const Bytes* request) override;
  Stream* StreamResults(Context* context, const Bytes* request) override;
  Stream* StreamErrors(Context* context, const Bytes* request) override;
  Unary* Cancel(Context* context, const Bytes* request, Bytes* response) override;
  Unary* GetBatch(Context* context, const Bytes* request, Bytes* response) override;
  Unary* ListBatches(Context* context, const Bytes* request, Bytes* response) override;
  Unary* GetJob(Context* context, const Bytes* request, Bytes* response) override;
  Unary* ListJobs(Context* context, const Bytes* request, Bytes* response) override;
  Unary* DeleteBatch(Context* context, const Bytes* request, Bytes* response) override;
  Unary* RetryJobs(Context* context, const Bytes* request, Bytes* response) override;

 private:
  CallDeadline DeadlineOf(const Context& context) const;

  const ServiceParts& parts_;
  Submissions submissions_;
  Uploads uploads_;
  BatchEndings batch_endings_;
  LookUps look_ups_;
  Retries retries_;
};

}  // namespace jobrunner::rpc
