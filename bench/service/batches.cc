#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

#include "bench/service/benches.h"
#include "bench/service/calls.h"
#include "bench/service/child.h"
#include "bench/service/samples.h"

namespace jobrunner::bench {
namespace {

constexpr int kJobsPerBatch = 1000;
constexpr int kInFlight = 4;
constexpr int kBatches = 1000;
constexpr int kRounds = 3;

using Clock = std::chrono::steady_clock;

struct Measured {
  double jobs_per_second = 0;
  Samples batch_times;
};

// Has kInFlight threads call `run` until kBatches are done.
Measured Measure(const std::function<void()>& run) {
  std::atomic<int> left{kBatches};
  std::vector<Samples> times(kInFlight);
  std::vector<std::thread> clients;
  const auto start = Clock::now();
  for (int i = 0; i < kInFlight; ++i) {
    clients.emplace_back([&, i] {
      while (left.fetch_sub(1) > 0) {
        const auto begin = Clock::now();
        run();
        times[i].Add(Clock::now() - begin);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  Measured measured;
  measured.jobs_per_second = double{kBatches} * kJobsPerBatch / SecondsSince(start);
  for (const Samples& samples : times) measured.batch_times.Add(samples);
  return measured;
}

void Print(const char* name, Measured& measured) {
  std::printf("  %-28s %9.0f jobs/s   batch p50 %6.2f ms  p99 %6.2f ms\n", name,
              measured.jobs_per_second, measured.batch_times.Quantile(0.5),
              measured.batch_times.Quantile(0.99));
}

}  // namespace

void BenchBatches() {
  std::printf(
      "no-op jobs of %d B, batches of %d, %d in flight, all results streamed; memory store\n",
      kPayloadBytes, kJobsPerBatch, kInFlight);
  const auto bare = StartBareServer();
  const auto server = StartServer(R"({"workers": {"max": 1024}})");
  const auto bare_stub = Bare::NewStub(Connect(bare->address()));
  const auto stub = v1::JobService::NewStub(Connect(server->address()));
  const Batch bare_batch = BareBatch(kJobsPerBatch);
  v1::RunBatchRequest request;
  *request.mutable_batch() = EchoBatch(kJobsPerBatch);
  std::vector<double> ratios;
  // By turns, so that what else the machine does meets both.
  for (int round = 0; round < kRounds; ++round) {
    Measured of_bare = Measure([&] { RunToEnd(*bare_stub, bare_batch); });
    Measured of_server = Measure([&] { RunToEnd(*stub, request); });
    Print("bare pipeline", of_bare);
    Print("jobrunner", of_server);
    ratios.push_back(of_server.jobs_per_second / of_bare.jobs_per_second);
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf("  ratio, median of %d rounds: %.2f (at least 0.45)\n\n", kRounds,
              ratios[kRounds / 2]);
}

}  // namespace jobrunner::bench
