// How many times a second /bin/true runs through the command executor, two at once, against a bare
// posix_spawn loop, two at once, in the same run. The two take turns, so that both see the same
// machine.

#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "engine/shard_jobs.h"
#include "jobrunner/v1/batch.pb.h"
#include "workers/worker_pool.h"

namespace jobrunner::workers {
namespace {

constexpr int kAtOnce = 2;
constexpr int kRounds = 5;
constexpr char kProgram[] = "/bin/true";

double PerSecond(int count, std::chrono::steady_clock::time_point start) {
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  return count / time.count();
}

void SpawnBare() {
  char program[] = "/bin/true";
  char* argv[] = {program, nullptr};
  char* environment[] = {nullptr};
  pid_t pid = -1;
  if (posix_spawn(&pid, kProgram, nullptr, nullptr, argv, environment) != 0) std::abort();
}

double RunBare(int count) {
  const auto start = std::chrono::steady_clock::now();
  for (int begun = 0, ended = 0; ended < count;) {
    while (begun < count && begun - ended < kAtOnce) {
      SpawnBare();
      ++begun;
    }
    if (waitpid(-1, nullptr, 0) > 0) ++ended;
  }
  return PerSecond(count, start);
}

// Lets the caller wait for outcomes.
class WaitingSink final : public engine::AttemptSink {
 public:
  void Finished(engine::Outcome outcome) override {
    absl::MutexLock lock(&mutex_);
    Count(outcome);
  }
  void Finished(std::vector<engine::Outcome> outcomes) override {
    absl::MutexLock lock(&mutex_);
    for (const engine::Outcome& outcome : outcomes) Count(outcome);
  }
  void SlotReturned(engine::AttemptToken) override {}
  void Wrote(engine::OutputChunk) override {}
  void Progressed(engine::ProgressReport) override {}

  // Waits for one at least; returns how many since the last call.
  int Take() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](int* ended) { return *ended > 0; }, &ended_));
    return std::exchange(ended_, 0);
  }

 private:
  void Count(const engine::Outcome& outcome) {
    if (outcome.failure != nullptr) std::abort();
    ++ended_;
  }

  absl::Mutex mutex_;
  int ended_ = 0;
};

class PoolRun {
 public:
  PoolRun() {
    config::v1::Commands config;
    config.set_allow_any(true);
    commands_ = CommandCatalog::Load(config).value();
    pool_ =
        WorkerPool::Create(
            {.min = 0, .max = kAtOnce},
            {.handlers = &handlers_, .commands = &commands_, .clock = &clock_, .logger = &logger_},
            &sink_)
            .value();
    v1::BatchSpec spec;
    spec.add_jobs()->mutable_command()->add_argv(kProgram);
    jobs_ = engine::ShardJobs::Parse("batch", 0, spec.SerializeAsString()).value();
  }

  double Run(int count) {
    const auto start = std::chrono::steady_clock::now();
    for (int begun = 0, ended = 0; ended < count;) {
      const int more = std::min(count - begun, kAtOnce - (begun - ended));
      if (more > 0) Start(more);
      begun += more;
      ended += sink_.Take();
    }
    return PerSecond(count, start);
  }

 private:
  void Start(int count) {
    std::vector<engine::Assignment> assignments(count);
    for (engine::Assignment& assignment : assignments) {
      assignment.token = {.epoch = 1, .slot = 0, .number = ++number_};
      assignment.jobs = jobs_;
    }
    pool_->Start(std::move(assignments));
  }

  HandlerRegistry handlers_;
  CommandCatalog commands_;
  base::RealClock clock_;
  base::NullLogger logger_;
  WaitingSink sink_;
  std::shared_ptr<const engine::ShardJobs> jobs_;
  uint64_t number_ = 0;
  std::unique_ptr<WorkerPool> pool_;
};

void Run(int count) {
  PoolRun pool;
  double bare_sum = 0;
  double pool_sum = 0;
  for (int round = 0; round < kRounds; ++round) {
    const double bare = RunBare(count / kRounds);
    const double ours = pool.Run(count / kRounds);
    std::printf("bare %.0f/s, pool %.0f/s, ratio %.2f\n", bare, ours, ours / bare);
    bare_sum += bare;
    pool_sum += ours;
  }
  std::printf("%s, %d at once: bare posix_spawn %.0f/s, worker pool %.0f/s, ratio %.2f\n", kProgram,
              kAtOnce, bare_sum / kRounds, pool_sum / kRounds, pool_sum / bare_sum);
}

}  // namespace
}  // namespace jobrunner::workers

int main(int argc, char** argv) { jobrunner::workers::Run(argc > 1 ? std::atoi(argv[1]) : 5000); }
