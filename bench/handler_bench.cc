// How many jobs that do nothing pass through the handlers' executor and the pool in a second: one
// caller that starts them in bulk, as the engine does, and a sink that only counts.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "engine/shard_jobs.h"
#include "jobrunner/v1/batch.pb.h"
#include "workers/worker_pool.h"

namespace jobrunner::workers {
namespace {

constexpr int kJobsPerShard = 256;
constexpr int kRunningMax = 4096;

class CountingSink final : public engine::AttemptSink {
 public:
  void Finished(engine::Outcome) override { ended_.fetch_add(1, std::memory_order_release); }
  void Finished(std::vector<engine::Outcome> outcomes) override {
    ended_.fetch_add(static_cast<int64_t>(outcomes.size()), std::memory_order_release);
  }
  void SlotReturned(engine::AttemptToken) override {}
  void Wrote(engine::OutputChunk) override {}
  void Progressed(engine::ProgressReport) override {}

  int64_t ended() const { return ended_.load(std::memory_order_acquire); }

 private:
  std::atomic<int64_t> ended_{0};
};

std::shared_ptr<const engine::ShardJobs> EchoJobs() {
  v1::BatchSpec spec;
  for (int i = 0; i < kJobsPerShard; ++i) {
    v1::HandlerCall* call = spec.add_jobs()->mutable_handler();
    call->set_name("echo");
    call->set_payload(std::string(100, 'x'));
  }
  return engine::ShardJobs::Parse("batch", 0, spec.SerializeAsString()).value();
}

std::vector<engine::Assignment> Assign(std::shared_ptr<const engine::ShardJobs> jobs,
                                       uint64_t first) {
  std::vector<engine::Assignment> assignments(kJobsPerShard);
  for (int i = 0; i < kJobsPerShard; ++i) {
    assignments[i].token = {.epoch = 1, .slot = 0, .number = first + i};
    assignments[i].jobs = jobs;
    assignments[i].index = i;
  }
  return assignments;
}

void Run(int64_t jobs_total) {
  HandlerRegistry handlers;
  CommandCatalog commands;
  base::RealClock clock;
  base::NullLogger logger;
  CountingSink sink;
  auto pool = WorkerPool::Create(
      {.min = 0, .max = kRunningMax},
      {.handlers = &handlers, .commands = &commands, .clock = &clock, .logger = &logger}, &sink);
  const auto jobs = EchoJobs();
  const auto start = std::chrono::steady_clock::now();
  for (int64_t begun = 0; begun < jobs_total; begun += kJobsPerShard) {
    while (begun - sink.ended() > kRunningMax - kJobsPerShard) {
    }
    (*pool)->Start(Assign(jobs, begun));
  }
  while (sink.ended() < jobs_total) {
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  std::printf("no-op handler jobs: %.0f/s\n", static_cast<double>(jobs_total) / time.count());
}

}  // namespace
}  // namespace jobrunner::workers

int main(int argc, char** argv) {
  const int64_t jobs = argc > 1 ? std::atoll(argv[1]) : 2'000'000;
  jobrunner::workers::Run(jobs / 256 * 256);
}
