#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "bench/service/benches.h"
#include "bench/service/calls.h"
#include "bench/service/child.h"
#include "bench/service/samples.h"
#include "bench/service/scratch_directory.h"

namespace jobrunner::bench {
namespace {

constexpr int kJobs = 100;
constexpr int kLeaseSeconds = 2;

void AwaitRunning(v1::JobService::Stub& stub, const std::string& batch_id) {
  v1::GetBatchRequest request;
  request.set_batch_id(batch_id);
  v1::GetBatchResponse response;
  while (response.batch().counts().running() < kJobs) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    grpc::ClientContext context;
    Expect(stub.GetBatch(&context, request, &response));
  }
}

// Results that are the worker's own, at the second attempt.
int CountResultsOf(v1::JobService::Stub& stub, const std::string& batch_id,
                   const std::string& worker) {
  grpc::ClientContext context;
  v1::StreamResultsRequest request;
  request.set_batch_id(batch_id);
  const auto reader = stub.StreamResults(&context, request);
  v1::StreamResultsResponse response;
  int results = 0;
  while (reader->Read(&response)) {
    for (const v1::Event& event : response.events()) {
      const v1::JobResult& result = event.result();
      results += event.has_result() && result.state() == v1::JOB_STATE_SUCCEEDED &&
                 result.worker() == worker && result.attempts() == 2;
    }
  }
  Expect(reader->Finish());
  return results;
}

}  // namespace

void BenchLostWorker() {
  std::printf(
      "a worker with %d attempts is killed with SIGKILL, another one is there; lease %d s,\n"
      "RocksDB\n",
      kJobs, kLeaseSeconds);
  const ScratchDirectory directory;
  const auto server =
      StartServer(R"({"workers": {"lease": ")" + std::to_string(kLeaseSeconds) + R"(s"}})",
                  "rocksdb:" + directory.Path("server"));
  const auto stub = v1::JobService::NewStub(Connect(server->address()));
  const auto first = StartWorker(server->address(), "first", kJobs);
  const std::string batch = Submit(*stub, HandlerBatch("first_stays", kJobs));
  AwaitRunning(*stub, batch);
  const auto second = StartWorker(server->address(), "second", kJobs);
  const auto killed = std::chrono::steady_clock::now();
  first->Kill();
  AwaitEnd(*stub, batch);
  const double seconds = SecondsSince(killed);
  const int results = CountResultsOf(*stub, batch, "second");
  if (results != kJobs) {
    std::fprintf(stderr, "bench: %d results of the second worker\n", results);
    std::abort();
  }
  std::printf(
      "  all done elsewhere %.2f s after the kill (at most %d), %d of %d results by the other\n\n",
      seconds, kLeaseSeconds + 1, results, kJobs);
}

}  // namespace jobrunner::bench
