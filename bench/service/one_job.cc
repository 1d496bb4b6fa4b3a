#include <chrono>
#include <cstdio>

#include "bench/service/benches.h"
#include "bench/service/calls.h"
#include "bench/service/child.h"
#include "bench/service/samples.h"

namespace jobrunner::bench {
namespace {

constexpr int kCalls = 3000;
constexpr int kWarmUp = 300;

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
  std::printf("  bare unary call    p50 %.3f ms  p99 %.3f ms\n", unary.Quantile(0.5),
              unary.Quantile(0.99));
  std::printf("  jobrunner          p50 %.3f ms  p99 %.3f ms\n", run.Quantile(0.5),
              run.Quantile(0.99));
  std::printf("  ratio of p50: %.2f (at most 2.5)\n\n", run.Quantile(0.5) / unary.Quantile(0.5));
}

}  // namespace jobrunner::bench
