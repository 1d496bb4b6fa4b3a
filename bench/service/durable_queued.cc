#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "bench/service/benches.h"
#include "bench/service/calls.h"
#include "bench/service/child.h"
#include "bench/service/samples.h"
#include "bench/service/scratch_directory.h"

namespace jobrunner::bench {
namespace {

constexpr int kJobsEach = 100'000;
constexpr int kBatches = 100;
// The first and the last tenth are compared.
constexpr int kTenth = kBatches / 10;
constexpr char kConfig[] = R"({"limits": {"jobs_unfinished_max": "20000000"}})";

double Rate(const std::vector<double>& seconds, int begin) {
  double sum = 0;
  for (int i = begin; i < begin + kTenth; ++i) sum += seconds[i];
  return kTenth * double{kJobsEach} / sum;
}

}  // namespace

void BenchDurableQueued() {
  std::printf("%d no-op jobs of %d B queued in batches of %d; RocksDB, synced\n",
              kBatches * kJobsEach, kPayloadBytes, kJobsEach);
  const ScratchDirectory directory;
  const auto server = StartServer(kConfig, "rocksdb:" + directory.Path("server"));
  const auto channel = Connect(server->address());
  const auto jobs = v1::JobService::NewStub(channel);
  const auto admin = v1::AdminService::NewStub(channel);
  PauseDefaultQueue(*admin);
  std::vector<double> seconds;
  int64_t most_bytes = 0;
  for (int i = 0; i < kBatches; ++i) {
    v1::BatchSpec batch = EchoBatch(kJobsEach);
    const auto start = std::chrono::steady_clock::now();
    Submit(*jobs, batch);
    seconds.push_back(SecondsSince(start));
    most_bytes = std::max(most_bytes, server->ResidentBytes());
  }
  const double first = Rate(seconds, 0);
  const double last = Rate(seconds, kBatches - kTenth);
  std::printf("  submitted at first at %.0f jobs/s, at last at %.0f, ratio %.2f (at least 0.8)\n",
              first, last, last / first);
  std::printf("  memory of the server: at most %.0f MB, in the end %.0f MB (at most 300)\n\n",
              1e-6 * static_cast<double>(most_bytes),
              1e-6 * static_cast<double>(server->ResidentBytes()));
  server->Kill();
}

}  // namespace jobrunner::bench
