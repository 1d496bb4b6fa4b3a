#include "bench/service/calls.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "google/protobuf/arena.h"

namespace jobrunner::bench {
namespace {

using google::protobuf::Arena;

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "bench: %s\n", message.c_str());
  std::abort();
}

void CheckEvent(const v1::Event& event) {
  if (event.has_result() && event.result().state() != v1::JOB_STATE_SUCCEEDED) {
    Die("a job did not succeed: " + event.ShortDebugString());
  }
}

}  // namespace

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  // A connection of its own, not one that another bench left behind.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) {
    Die("cannot connect to " + address);
  }
  return channel;
}

void Expect(const grpc::Status& status) {
  if (!status.ok()) Die(status.error_message());
}

v1::BatchSpec EchoBatch(int jobs) { return HandlerBatch("echo", jobs); }

v1::BatchSpec HandlerBatch(const std::string& handler, int jobs) {
  v1::BatchSpec batch;
  for (int i = 0; i < jobs; ++i) {
    v1::Job& job = *batch.add_jobs();
    job.set_key("k" + std::to_string(i));
    job.mutable_handler()->set_name(handler);
    job.mutable_handler()->set_payload(std::string(kPayloadBytes, 'x'));
  }
  return batch;
}

Batch BareBatch(int jobs) {
  Batch batch;
  for (int i = 0; i < jobs; ++i) {
    Job& job = *batch.add_jobs();
    job.set_key("k" + std::to_string(i));
    job.mutable_handler()->set_name("echo");
    job.mutable_handler()->set_payload(std::string(kPayloadBytes, 'x'));
  }
  return batch;
}

void RunToEnd(v1::JobService::Stub& stub, const v1::RunBatchRequest& request) {
  grpc::ClientContext context;
  Arena arena;
  auto& response = *Arena::CreateMessage<v1::RunBatchResponse>(&arena);
  auto reader = stub.RunBatch(&context, request);
  int64_t results = 0;
  while (reader->Read(&response)) {
    for (const v1::Event& event : response.events()) {
      CheckEvent(event);
      results += event.has_result() ? 1 : 0;
    }
  }
  Expect(reader->Finish());
  if (results != request.batch().jobs_size()) Die("results are missing");
}

void RunToEnd(Bare::Stub& stub, const Batch& batch) {
  grpc::ClientContext context;
  Arena arena;
  auto& response = *Arena::CreateMessage<Events>(&arena);
  auto reader = stub.Run(&context, batch);
  int64_t results = 0;
  while (reader->Read(&response)) results += response.events_size();
  Expect(reader->Finish());
  if (results != batch.jobs_size()) Die("results are missing");
}

std::string Submit(v1::JobService::Stub& stub, const v1::BatchSpec& batch) {
  grpc::ClientContext context;
  v1::SubmitBatchRequest request;
  v1::SubmitBatchResponse response;
  *request.mutable_batch() = batch;
  Expect(stub.SubmitBatch(&context, request, &response));
  return response.batch().id();
}

std::vector<std::string> SubmitAll(v1::JobService::Stub& stub, int batches, int jobs_each) {
  v1::BatchSpec batch = EchoBatch(jobs_each);
  for (v1::Job& job : *batch.mutable_jobs()) job.clear_key();
  std::vector<std::string> ids;
  for (int i = 0; i < batches; ++i) ids.push_back(Submit(stub, batch));
  return ids;
}

void PauseDefaultQueue(v1::AdminService::Stub& stub) {
  grpc::ClientContext context;
  v1::PauseQueueRequest request;
  v1::PauseQueueResponse response;
  request.set_queue("default");
  Expect(stub.PauseQueue(&context, request, &response));
}

void ResumeDefaultQueue(v1::AdminService::Stub& stub) {
  grpc::ClientContext context;
  v1::ResumeQueueRequest request;
  v1::ResumeQueueResponse response;
  request.set_queue("default");
  Expect(stub.ResumeQueue(&context, request, &response));
}

void AwaitEnd(v1::JobService::Stub& stub, const std::string& batch_id) {
  grpc::ClientContext context;
  v1::StreamResultsRequest request;
  v1::StreamResultsResponse response;
  request.set_batch_id(batch_id);
  request.set_follow(true);
  request.add_kinds(v1::EVENT_KIND_BATCH_FINISHED);
  auto reader = stub.StreamResults(&context, request);
  while (reader->Read(&response)) {
  }
  Expect(reader->Finish());
}

}  // namespace jobrunner::bench
