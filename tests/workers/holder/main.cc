// command_holder SCRIPT...: runs each script as a command in a process of its own, for a test to
// kill. Ends by itself only when it cannot begin.

#include <unistd.h>

#include <memory>
#include <vector>

#include "base/clock.h"
#include "engine/shard_jobs.h"
#include "jobrunner/v1/batch.pb.h"
#include "workers/worker_pool.h"

namespace jobrunner::workers {
namespace {

class DeafSink final : public engine::AttemptSink {
 public:
  void Finished(engine::Outcome) override {}
  void Finished(std::vector<engine::Outcome>) override {}
  void SlotReturned(engine::AttemptToken) override {}
  void Wrote(engine::OutputChunk) override {}
  void Progressed(engine::ProgressReport) override {}
};

std::vector<engine::Assignment> Assign(int count, char** scripts) {
  v1::BatchSpec spec;
  for (int i = 0; i < count; ++i) {
    v1::Command* command = spec.add_jobs()->mutable_command();
    for (const char* argument : {"/bin/sh", "-c", const_cast<const char*>(scripts[i])}) {
      command->add_argv(argument);
    }
  }
  const auto jobs = engine::ShardJobs::Parse("held", 0, spec.SerializeAsString()).value();
  std::vector<engine::Assignment> assignments(count);
  for (int i = 0; i < count; ++i) {
    assignments[i].token.number = i + 1;
    assignments[i].jobs = jobs;
    assignments[i].index = i;
  }
  return assignments;
}

int Hold(int count, char** scripts) {
  config::v1::Commands config;
  config.set_allow_any(true);
  const CommandCatalog commands = CommandCatalog::Load(config).value();
  const HandlerRegistry handlers;
  const base::RealClock clock;
  base::NullLogger logger;
  DeafSink sink;
  auto pool = WorkerPool::Create(
      {.min = 0, .max = count},
      {.handlers = &handlers, .commands = &commands, .clock = &clock, .logger = &logger}, &sink);
  if (!pool.ok()) return 1;
  (*pool)->Start(Assign(count, scripts));
  while (true) pause();
}

}  // namespace
}  // namespace jobrunner::workers

int main(int argc, char** argv) { return jobrunner::workers::Hold(argc - 1, argv + 1); }
