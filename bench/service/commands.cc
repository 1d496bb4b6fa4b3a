#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "bench/service/benches.h"
#include "bench/service/calls.h"
#include "bench/service/child.h"
#include "bench/service/samples.h"

extern char** environ;

namespace jobrunner::bench {
namespace {

constexpr int kCommands = 5000;
constexpr int kAtOnce = 2;
constexpr int kRounds = 3;

void SpawnTrue() {
  char name[] = "/bin/true";
  char* argv[] = {name, nullptr};
  pid_t pid = 0;
  if (posix_spawn(&pid, name, nullptr, nullptr, argv, environ) != 0) std::abort();
}

double BareLoop() {
  const auto start = std::chrono::steady_clock::now();
  int spawned = 0;
  while (spawned < kAtOnce) SpawnTrue(), ++spawned;
  for (int ended = 0; ended < kCommands; ++ended) {
    if (waitpid(-1, nullptr, 0) < 0) std::abort();
    if (spawned < kCommands) SpawnTrue(), ++spawned;
  }
  return kCommands / SecondsSince(start);
}

double ThroughServer() {
  const auto server = StartServer(
      R"({"workers": {"max": 2}, "commands": {"allow": [{"name": "true", "path": "/bin/true"}]}})");
  const auto stub = v1::JobService::NewStub(Connect(server->address()));
  v1::RunBatchRequest request;
  for (int i = 0; i < kCommands; ++i) {
    request.mutable_batch()->add_jobs()->mutable_command()->add_argv("true");
  }
  const auto start = std::chrono::steady_clock::now();
  RunToEnd(*stub, request);
  return kCommands / SecondsSince(start);
}

}  // namespace

void BenchCommands() {
  std::printf("/bin/true %d times, %d at once\n", kCommands, kAtOnce);
  std::vector<double> ratios;
  for (int round = 0; round < kRounds; ++round) {
    const double bare = BareLoop();
    const double server = ThroughServer();
    std::printf("  bare posix_spawn loop %6.0f/s   jobrunner %6.0f/s\n", bare, server);
    ratios.push_back(server / bare);
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf("  ratio, median of %d rounds: %.2f (at least 0.85)\n\n", kRounds,
              ratios[kRounds / 2]);
}

}  // namespace jobrunner::bench
