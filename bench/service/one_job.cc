#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
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

constexpr int kCalls = 3000;
constexpr int kWarmUp = 300;
constexpr int kClients = 64;

template <typename Call>
Samples Measure(const Call& call) {
  for (int i = 0; i < kWarmUp; ++i) call();
  Samples samples;
  for (int i = 0; i < kCalls; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    samples.Add(std::chrono::steady_clock::now() - begin);
  }
  return samples;
}

void CallEcho(Bare::Stub& stub, const Job& job) {
  grpc::ClientContext context;
  Job response;
  Expect(stub.Echo(&context, job, &response));
}

// What a durable call cannot do without: a record appended to a file, and made stable.
void AppendSynced(int file, const std::string& bytes) {
  if (write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
      fdatasync(file) != 0) {
    std::abort();
  }
}

// `clients` threads, each with one job at a time: jobs a second.
double Rate(v1::JobService::Stub& stub, const v1::RunBatchRequest& request, int clients) {
  std::atomic<int> left{kCalls};
  std::vector<std::thread> threads;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&] {
      while (left.fetch_sub(1) > 0) RunToEnd(stub, request);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return kCalls / SecondsSince(start);
}

void Print(const char* name, Samples& samples) {
  std::printf("  %-28s p50 %.3f ms  p99 %.3f ms\n", name, samples.Quantile(0.5),
              samples.Quantile(0.99));
}

}  // namespace

void BenchOneJob() {
  std::printf("one no-op job at a time, submit to result at the client (RunBatch); memory store\n");
  const auto bare = StartBareServer();
  const auto server = StartServer(R"({"workers": {"max": 4}})");
  const auto bare_stub = Bare::NewStub(Connect(bare->address()));
  const auto stub = v1::JobService::NewStub(Connect(server->address()));
  const Job job = BareBatch(1).jobs(0);
  v1::RunBatchRequest request;
  *request.mutable_batch() = EchoBatch(1);
  Samples unary = Measure([&] { CallEcho(*bare_stub, job); });
  Samples run = Measure([&] { RunToEnd(*stub, request); });
  Print("bare unary call", unary);
  Print("jobrunner", run);
  std::printf("  ratio of p50: %.2f (at most 2.5)\n\n", run.Quantile(0.5) / unary.Quantile(0.5));
}

void BenchDurableOneJob() {
  std::printf(
      "one no-op job at a time, submit to result at the client (RunBatch); RocksDB, synced\n");
  const ScratchDirectory directory;
  const auto bare = StartBareServer();
  const auto server =
      StartServer(R"({"workers": {"max": 64}})", "rocksdb:" + directory.Path("server"));
  const auto bare_stub = Bare::NewStub(Connect(bare->address()));
  const auto stub = v1::JobService::NewStub(Connect(server->address()));
  const Job job = BareBatch(1).jobs(0);
  const std::string record = job.SerializeAsString();
  v1::RunBatchRequest request;
  *request.mutable_batch() = EchoBatch(1);
  const int file = open(directory.Path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                        S_IRUSR | S_IWUSR);
  Samples floor = Measure([&] {
    CallEcho(*bare_stub, job);
    AppendSynced(file, record);
  });
  close(file);
  Samples run = Measure([&] { RunToEnd(*stub, request); });
  Print("bare call and fdatasync", floor);
  Print("jobrunner", run);
  std::printf("  ratios: p50 %.2f (at most 3.5), p99 %.2f (at most 6)\n",
              run.Quantile(0.5) / floor.Quantile(0.5), run.Quantile(0.99) / floor.Quantile(0.99));
  const double one = Rate(*stub, request, 1);
  const double many = Rate(*stub, request, kClients);
  std::printf("  1 client %.0f jobs/s, %d clients %.0f jobs/s, ratio %.1f (at least 5)\n\n", one,
              kClients, many, many / one);
}

}  // namespace jobrunner::bench
