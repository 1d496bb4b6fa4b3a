#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "bench/service/benches.h"
#include "bench/service/calls.h"
#include "bench/service/child.h"
#include "bench/service/samples.h"
#include "bench/service/scratch_directory.h"

namespace jobrunner::bench {
namespace {

constexpr int kBatches = 10;
constexpr int kJobsEach = 100'000;
constexpr int kRounds = 3;
constexpr char kConfig[] = R"({"workers": {"max": 1024}})";

// Each batch has a job that runs until it is cancelled, so that none finishes.
v1::BatchSpec Unfinished() {
  v1::BatchSpec batch = EchoBatch(kJobsEach);
  v1::Job& last = *batch.mutable_jobs(kJobsEach / 2);
  last.mutable_handler()->set_name("sleep");
  last.mutable_handler()->set_payload("3600000");
  batch.set_max_parallelism(1);
  return batch;
}

int64_t Waiting(v1::JobService::Stub& stub) {
  grpc::ClientContext context;
  v1::ListBatchesRequest request;
  v1::ListBatchesResponse response;
  Expect(stub.ListBatches(&context, request, &response));
  int64_t waiting = 0;
  for (const v1::Batch& batch : response.batches()) waiting += batch.counts().queued();
  return waiting;
}

}  // namespace

void BenchStart() {
  std::printf("start with %d batches of %d jobs, each half done; RocksDB; after SIGKILL\n",
              kBatches, kJobsEach);
  const ScratchDirectory directory;
  const std::string store = "rocksdb:" + directory.Path("server");
  auto server = StartServer(kConfig, store);
  const v1::BatchSpec batch = Unfinished();
  {
    const auto jobs = v1::JobService::NewStub(Connect(server->address()));
    for (int i = 0; i < kBatches; ++i) Submit(*jobs, batch);
    // One after the other, until each is at the job that does not end.
    while (Waiting(*jobs) > kBatches * int64_t{kJobsEach / 2 - 1}) {
    }
  }
  for (int round = 0; round < kRounds; ++round) {
    server->Kill();
    server.reset();
    const auto start = std::chrono::steady_clock::now();
    server = StartServer(kConfig, store);
    std::printf("  serving after %.2f s (at most 2)\n", SecondsSince(start));
  }
  std::printf("\n");
  server->Kill();
}

}  // namespace jobrunner::bench
