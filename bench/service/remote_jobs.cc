#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/service/benches.h"
#include "bench/service/calls.h"
#include "bench/service/child.h"
#include "bench/service/samples.h"
#include "bench/service/scratch_directory.h"

namespace jobrunner::bench {
namespace {

constexpr int kWorkers = 2;
constexpr int kSlots = 1000;
constexpr int kJobsPerBatch = 1000;
constexpr int kInFlight = 4;
constexpr int kBatches = 500;
constexpr int kRounds = 3;
constexpr int kCalls = 3000;
constexpr int kWarmUp = 300;

using Clock = std::chrono::steady_clock;

std::vector<std::unique_ptr<Child>> StartWorkers(const Child& server, int workers, int slots) {
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < workers; ++i) {
    children.push_back(StartWorker(server.address(), "worker " + std::to_string(i), slots));
  }
  return children;
}

// Jobs a second, with kInFlight batches at once.
double Rate(v1::JobService::Stub& stub, const v1::RunBatchRequest& request) {
  std::atomic<int> left{kBatches};
  std::vector<std::thread> clients;
  const auto start = Clock::now();
  for (int i = 0; i < kInFlight; ++i) {
    clients.emplace_back([&] {
      while (left.fetch_sub(1) > 0) RunToEnd(stub, request);
    });
  }
  for (std::thread& client : clients) client.join();
  return double{kBatches} * kJobsPerBatch / SecondsSince(start);
}

double OwnCpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Of the server, the workers and the client, in seconds.
struct CpuTimes {
  double server = 0;
  double workers = 0;
  double client = 0;
};

CpuTimes CpuOf(const Child& server, const std::vector<std::unique_ptr<Child>>& workers) {
  CpuTimes times{.server = server.CpuSeconds(), .workers = 0, .client = OwnCpuSeconds()};
  for (const auto& worker : workers) times.workers += worker->CpuSeconds();
  return times;
}

void PrintCpu(const CpuTimes& before, const CpuTimes& after) {
  constexpr double kUsPerJob = 1e6 / (double{kBatches} * kJobsPerBatch);
  std::printf("  processor time a job: server %.2f us, workers %.2f us, client %.2f us\n",
              kUsPerJob * (after.server - before.server),
              kUsPerJob * (after.workers - before.workers),
              kUsPerJob * (after.client - before.client));
}

}  // namespace

void BenchRemoteJobs() {
  std::printf(
      "no-op jobs of %d B through %d remote workers (C++, %d slots each), batches of %d,\n"
      "%d in flight, all results streamed; RocksDB, synced before anything is shown\n",
      kPayloadBytes, kWorkers, kSlots, kJobsPerBatch, kInFlight);
  const ScratchDirectory directory;
  const auto server = StartServer("{}", "rocksdb:" + directory.Path("server"));
  const auto workers = StartWorkers(*server, kWorkers, kSlots);
  const auto stub = v1::JobService::NewStub(Connect(server->address()));
  v1::RunBatchRequest request;
  *request.mutable_batch() = HandlerBatch("noop", kJobsPerBatch);
  RunToEnd(*stub, request);
  std::vector<double> rates;
  for (int round = 0; round < kRounds; ++round) {
    const CpuTimes before = CpuOf(*server, workers);
    rates.push_back(Rate(*stub, request));
    std::printf("  %9.0f jobs/s\n", rates.back());
    PrintCpu(before, CpuOf(*server, workers));
  }
  std::sort(rates.begin(), rates.end());
  std::printf("  median %.0f jobs/s, all processes together (at least 100,000 on 2 cores)\n\n",
              rates[kRounds / 2]);
}

void BenchRemoteOneJob() {
  std::printf(
      "one no-op job at a time through a remote worker (C++), submit to result at the\n"
      "client (RunBatch); memory store\n");
  const auto server = StartServer("{}");
  const auto workers = StartWorkers(*server, 1, 1);
  const auto stub = v1::JobService::NewStub(Connect(server->address()));
  v1::RunBatchRequest request;
  *request.mutable_batch() = HandlerBatch("noop", 1);
  for (int i = 0; i < kWarmUp; ++i) RunToEnd(*stub, request);
  Samples samples;
  for (int i = 0; i < kCalls; ++i) {
    const auto begin = Clock::now();
    RunToEnd(*stub, request);
    samples.Add(Clock::now() - begin);
  }
  std::printf("  p50 %.3f ms (at most 0.5)  p99 %.3f ms\n\n", samples.Quantile(0.5),
              samples.Quantile(0.99));
}

}  // namespace jobrunner::bench
