#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/service/benches.h"
#include "bench/service/calls.h"
#include "bench/service/child.h"
#include "bench/service/samples.h"

namespace jobrunner::bench {
namespace {

// As many batches take turns, few jobs or many.
constexpr int kBatches = 10;
constexpr int kFew = 10'000;
constexpr int kMany = 1'000'000;
constexpr int kRoundsOfFew = 20;
// Finished batches stay until their ends were read.
constexpr char kConfig[] =
    R"({"workers": {"max": 1024}, "limits": {"memory_store_bytes": "4294967296"}})";

void Resume(v1::AdminService::Stub& stub) {
  grpc::ClientContext context;
  v1::ResumeQueueRequest request;
  v1::ResumeQueueResponse response;
  request.set_queue("default");
  Expect(stub.ResumeQueue(&context, request, &response));
}

struct Cost {
  // Of the server's processor time, in microseconds a job.
  double submit = 0;
  double run = 0;
  double bytes = 0;
};

Cost Measure(Child& server, v1::JobService::Stub& jobs, v1::AdminService::Stub& admin, int count) {
  Cost cost;
  PauseDefaultQueue(admin);
  const int64_t before = server.ResidentBytes();
  double cpu = server.CpuSeconds();
  const std::vector<std::string> ids = SubmitAll(jobs, kBatches, count / kBatches);
  cost.submit = 1e6 * (server.CpuSeconds() - cpu) / count;
  cost.bytes = static_cast<double>(server.ResidentBytes() - before) / count;
  cpu = server.CpuSeconds();
  Resume(admin);
  for (const std::string& id : ids) AwaitEnd(jobs, id);
  cost.run = 1e6 * (server.CpuSeconds() - cpu) / count;
  return cost;
}

}  // namespace

void BenchQueued() {
  std::printf("no-op jobs of %d B queued in %d batches; memory store\n", kPayloadBytes, kBatches);
  const auto server = StartServer(kConfig);
  const auto channel = Connect(server->address());
  const auto jobs = v1::JobService::NewStub(channel);
  const auto admin = v1::AdminService::NewStub(channel);
  // Few jobs are over in milliseconds: many rounds of them.
  Cost few;
  for (int i = 0; i < kRoundsOfFew; ++i) {
    const Cost cost = Measure(*server, *jobs, *admin, kFew);
    few.submit += cost.submit / kRoundsOfFew;
    few.run += cost.run / kRoundsOfFew;
  }
  // Memory from a server that has held nothing before.
  const auto fresh = StartServer(kConfig);
  const auto fresh_channel = Connect(fresh->address());
  const auto fresh_jobs = v1::JobService::NewStub(fresh_channel);
  const auto fresh_admin = v1::AdminService::NewStub(fresh_channel);
  const Cost many = Measure(*fresh, *fresh_jobs, *fresh_admin, kMany);
  std::printf("  %7d queued: submit %.2f us, run %.2f us of processor time a job\n", kFew,
              few.submit, few.run);
  std::printf("  %7d queued: submit %.2f us, run %.2f us of processor time a job\n", kMany,
              many.submit, many.run);
  std::printf("  ratio: submit %.2f, run %.2f\n", many.submit / few.submit, many.run / few.run);
  std::printf("  memory of the server: %.0f B a queued job (at most 250)\n\n", many.bytes);
}

}  // namespace jobrunner::bench
