#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "bench/service/benches.h"
#include "bench/service/calls.h"
#include "bench/service/child.h"
#include "bench/service/log_reader.h"
#include "bench/service/samples.h"
#include "bench/service/scratch_directory.h"

namespace jobrunner::bench {
namespace {

constexpr int kReaders = 10'000;
constexpr int kChannels = 100;
constexpr int kCalls = 2'000;

using Clock = std::chrono::steady_clock;

Samples LookUp(v1::JobService::Stub& stub, const std::string& batch_id) {
  Samples times;
  for (int i = 0; i < kCalls; ++i) {
    grpc::ClientContext context;
    v1::GetBatchRequest request;
    v1::GetBatchResponse response;
    request.set_batch_id(batch_id);
    const auto begin = Clock::now();
    Expect(stub.GetBatch(&context, request, &response));
    times.Add(Clock::now() - begin);
  }
  return times;
}

void Print(const char* name, Samples& times) {
  std::printf("  GetBatch, %-24s p50 %.3f ms  p99 %.3f ms\n", name, times.Quantile(0.5),
              times.Quantile(0.99));
}

}  // namespace

void BenchIdleReaders() {
  std::printf("%d readers that wait, on %d connections, and a unary call beside them; RocksDB\n",
              kReaders, kChannels);
  const ScratchDirectory directory;
  const auto server = StartServer("{}", "rocksdb:" + directory.Path("server"));
  const auto jobs = v1::JobService::NewStub(Connect(server->address()));
  const auto admin = v1::AdminService::NewStub(Connect(server->address()));
  PauseDefaultQueue(*admin);
  const std::string batch = Submit(*jobs, EchoBatch(1));
  Samples alone = LookUp(*jobs, batch);
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < kChannels; ++i) channels.push_back(Connect(server->address()));
  const int64_t before = server->ResidentBytes();
  std::vector<std::unique_ptr<LogReader>> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.push_back(std::make_unique<LogReader>(channels[i % kChannels], batch, Pace::kFast));
  }
  for (const auto& reader : readers) reader->AwaitServed();
  const int64_t grown = server->ResidentBytes() - before;
  Samples beside = LookUp(*jobs, batch);
  Print("alone", alone);
  Print("beside the readers", beside);
  std::printf("  memory: %.1f KiB a reader; p99 at most 50 ms\n\n",
              static_cast<double>(grown) / 1024 / kReaders);
  ResumeDefaultQueue(*admin);
  for (const auto& reader : readers) reader->AwaitEnd();
}

}  // namespace jobrunner::bench
