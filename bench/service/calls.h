// The calls that the benches make.

#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "bare.grpc.pb.h"
#include "jobrunner/v1/admin_service.grpc.pb.h"
#include "jobrunner/v1/job_service.grpc.pb.h"

namespace jobrunner::bench {

inline constexpr int kPayloadBytes = 100;

std::shared_ptr<grpc::Channel> Connect(const std::string& address);

// Aborts with the message unless `status` is OK.
void Expect(const grpc::Status& status);

// Jobs of one handler with a payload of kPayloadBytes and the keys k0, k1 …
v1::BatchSpec HandlerBatch(const std::string& handler, int jobs);
v1::BatchSpec EchoBatch(int jobs);
Batch BareBatch(int jobs);

// Runs the batch and reads every result. Aborts if one did not succeed.
void RunToEnd(v1::JobService::Stub& stub, const v1::RunBatchRequest& request);
void RunToEnd(Bare::Stub& stub, const Batch& batch);

// Submits, and returns the batch's id.
std::string Submit(v1::JobService::Stub& stub, const v1::BatchSpec& batch);
// So many batches of so many jobs without keys. Returns their ids.
std::vector<std::string> SubmitAll(v1::JobService::Stub& stub, int batches, int jobs_each);
// Nothing of it starts until it is resumed.
void PauseDefaultQueue(v1::AdminService::Stub& stub);
void ResumeDefaultQueue(v1::AdminService::Stub& stub);
// Blocks until the batch has finished; the server passes nothing but its end.
void AwaitEnd(v1::JobService::Stub& stub, const std::string& batch_id);

}  // namespace jobrunner::bench
