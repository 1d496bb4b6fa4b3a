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
#include "bench/service/scratch_directory.h"

namespace jobrunner::bench {
namespace {

constexpr int kJobsPerBatch = 1000;
constexpr int kInFlight = 4;
constexpr int kBatches = 1000;
constexpr int kRounds = 3;
constexpr char kConfig[] = R"({"workers": {"max": 1024}})";

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

// Prints the medians of the ratios: of jobs a second, and of the batches' p99.
void Compare(const Child& bare, const Child& server, const char* bounds) {
  const auto bare_stub = Bare::NewStub(Connect(bare.address()));
  const auto stub = v1::JobService::NewStub(Connect(server.address()));
  const Batch bare_batch = BareBatch(kJobsPerBatch);
  v1::RunBatchRequest request;
  *request.mutable_batch() = EchoBatch(kJobsPerBatch);
  std::vector<double> rates;
  std::vector<double> times;
  // By turns, so that what else the machine does meets both.
  for (int round = 0; round < kRounds; ++round) {
    Measured of_bare = Measure([&] { RunToEnd(*bare_stub, bare_batch); });
    Measured of_server = Measure([&] { RunToEnd(*stub, request); });
    Print("bare pipeline", of_bare);
    Print("jobrunner", of_server);
    rates.push_back(of_server.jobs_per_second / of_bare.jobs_per_second);
    times.push_back(of_server.batch_times.Quantile(0.99) / of_bare.batch_times.Quantile(0.99));
  }
  std::sort(rates.begin(), rates.end());
  std::sort(times.begin(), times.end());
  std::printf("  ratios, medians of %d rounds: rate %.2f, p99 %.2f (%s)\n\n", kRounds,
              rates[kRounds / 2], times[kRounds / 2], bounds);
}

void PrintWork(const char* durability) {
  std::printf("no-op jobs of %d B, batches of %d, %d in flight, all results streamed; %s\n",
              kPayloadBytes, kJobsPerBatch, kInFlight, durability);
}

}  // namespace

void BenchBatches() {
  PrintWork("memory store");
  const auto bare = StartBareServer();
  const auto server = StartServer(kConfig);
  Compare(*bare, *server, "rate at least 0.45");
}

void BenchDurableBatches() {
  PrintWork("RocksDB, synced before anything is answered or shown");
  const ScratchDirectory directory;
  const auto bare = StartBareServer(directory.Path("bare"));
  const auto server = StartServer(kConfig, "rocksdb:" + directory.Path("server"));
  Compare(*bare, *server, "rate at least 0.55, p99 at most 1.5");
}

}  // namespace jobrunner::bench
