// How many jobs that do nothing pass through the engine in a second, without gRPC: EngineThread,
// the memory store and the worker pool, batches of 1,000 echo jobs of 100 B, four in flight. Each
// client waits for the end of its batch; nobody reads the results.
//
// usage: engine_bench [jobs in all] [slots]

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "engine/engine_thread.h"
#include "engine/submission.h"
#include "storage/memory_store.h"
#include "workers/worker_pool.h"

namespace jobrunner {
namespace {

constexpr int kJobsPerBatch = 1000;
constexpr int kClients = 4;

v1::BatchSpec EchoBatch() {
  v1::BatchSpec spec;
  for (int i = 0; i < kJobsPerBatch; ++i) {
    v1::Job* job = spec.add_jobs();
    job->set_key("k" + std::to_string(i));
    job->mutable_handler()->set_name("echo");
    job->mutable_handler()->set_payload(std::string(100, 'x'));
  }
  return spec;
}

class Finished final : public engine::LogReader {
 public:
  void LogGrew() override { grew_.Notify(); }
  void Wait() { grew_.WaitForNotification(); }

 private:
  absl::Notification grew_;
};

// Waits until the batch's log holds BatchFinished: every job's result and one more.
void AwaitEnd(engine::EventLogs& logs, const std::string& id) {
  for (;;) {
    auto reader = std::make_shared<Finished>();
    if (logs.Await(id, kJobsPerBatch, reader) != engine::EventLogs::Awaited::kWaiting) return;
    reader->Wait();
  }
}

void RunBatches(engine::EngineThread& engine, engine::EventLogs& logs, int count) {
  const v1::BatchSpec spec = EchoBatch();
  for (int i = 0; i < count; ++i) {
    auto submission = engine::MakeSubmission(engine.NewBatchId(), spec).value();
    const std::string id = submission.batch_id;
    absl::Notification accepted;
    engine.Tell(engine::Submit{std::make_unique<engine::Submission>(std::move(submission)),
                               [&](absl::StatusOr<v1::Batch>, bool) { accepted.Notify(); }});
    accepted.WaitForNotification();
    AwaitEnd(logs, id);
  }
}

void Run(int64_t jobs, int slots) {
  base::RealClock clock;
  base::NullLogger logger;
  storage::MemoryStore store;
  engine::EventLogs logs;
  workers::HandlerRegistry handlers;
  workers::CommandCatalog commands;
  engine::EngineOptions options;
  options.pool = {0, slots};
  engine::EngineThread engine(options, {.clock = &clock,
                                        .store = &store,
                                        .logs = &logs,
                                        .logger = &logger,
                                        .listeners = {},
                                        .failed = [](absl::Status) { std::abort(); }});
  auto pool = workers::WorkerPool::Create(
      options.pool,
      {.handlers = &handlers, .commands = &commands, .clock = &clock, .logger = &logger}, &engine);
  engine.Start(pool->get());
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back(
        [&] { RunBatches(engine, logs, static_cast<int>(jobs / kJobsPerBatch / kClients)); });
  }
  for (std::thread& client : clients) client.join();
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  std::printf("engine, no-op jobs, %d slots: %.0f jobs/s\n", slots, jobs / time.count());
  engine.Stop();
}

}  // namespace
}  // namespace jobrunner

int main(int argc, char** argv) {
  // As jobrunnerd has it.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  jobrunner::Run(argc > 1 ? std::atoll(argv[1]) : 2'000'000, argc > 2 ? std::atoi(argv[2]) : 1024);
}
