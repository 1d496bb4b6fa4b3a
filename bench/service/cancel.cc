#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "bench/service/benches.h"
#include "bench/service/calls.h"
#include "bench/service/child.h"
#include "bench/service/samples.h"

namespace jobrunner::bench {
namespace {

constexpr int kCancels = 300;

v1::RunBatchRequest SleepingCommand() {
  v1::RunBatchRequest request;
  v1::Job& job = *request.mutable_batch()->add_jobs();
  for (const char* argument : {"sh", "-c", "echo ready; exec sleep 1000"}) {
    job.mutable_command()->add_argv(argument);
  }
  job.mutable_options()->set_stream_output(true);
  return request;
}

// Reads on until an event of this kind.
template <typename Reader>
void ReadUntil(Reader& reader, v1::Event::KindCase kind) {
  v1::RunBatchResponse response;
  while (reader.Read(&response)) {
    for (const v1::Event& event : response.events()) {
      if (event.kind_case() == kind) return;
    }
  }
  std::fprintf(stderr, "bench: the stream ended too early\n");
  std::abort();
}

void CancelOne(v1::JobService::Stub& stub, Samples* samples) {
  grpc::ClientContext context;
  v1::RunBatchResponse response;
  auto reader = stub.RunBatch(&context, SleepingCommand());
  reader->Read(&response);
  v1::CancelRequest request;
  request.set_batch_id(response.batch().id());
  ReadUntil(*reader, v1::Event::kOutput);
  grpc::ClientContext cancel_context;
  v1::CancelResponse cancelled;
  const auto begin = std::chrono::steady_clock::now();
  Expect(stub.Cancel(&cancel_context, request, &cancelled));
  ReadUntil(*reader, v1::Event::kResult);
  samples->Add(std::chrono::steady_clock::now() - begin);
  while (reader->Read(&response)) {
  }
  Expect(reader->Finish());
}

}  // namespace

void BenchCancel() {
  std::printf("cancel of a running command (sh, sleep) to its end on the stream, %d times\n",
              kCancels);
  const auto server = StartServer(
      R"({"workers": {"max": 4}, "commands": {"allow": [{"name": "sh", "path": "/bin/sh"}]}})");
  const auto stub = v1::JobService::NewStub(Connect(server->address()));
  Samples samples;
  for (int i = 0; i < kCancels; ++i) CancelOne(*stub, &samples);
  std::printf("  p50 %.2f ms  p99 %.2f ms (at most 20)\n\n", samples.Quantile(0.5),
              samples.Quantile(0.99));
}

}  // namespace jobrunner::bench
