#include "workers/command_executor.h"

#include <sys/resource.h>

#include <utility>

#include "base/status_macros.h"
#include "workers/command_loop.h"
#include "workers/spawner_process.h"

namespace jobrunner::workers {
namespace {

// Raises the soft limit to the hard one. Returns what it was before the first call.
uint64_t RaiseOpenFiles() {
  static const uint64_t before = [] {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    const uint64_t soft = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return soft;
  }();
  return before;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CommandExecutor>> CommandExecutor::Create(
    const CommandCatalog* catalog, engine::AttemptSink* sink, base::Logger* logger, int held_fd) {
  const SpawnerProcess::Options options{.open_files = RaiseOpenFiles(), .held_fd = held_fd};
  ASSIGN_OR_RETURN(Poller poller, Poller::Create());
  ASSIGN_OR_RETURN(std::unique_ptr<SpawnerProcess> spawner, SpawnerProcess::Start(options));
  auto loop = std::make_unique<CommandLoop>(std::move(poller), std::move(spawner), options, catalog,
                                            sink, logger);
  return std::unique_ptr<CommandExecutor>(new CommandExecutor(std::move(loop)));
}

CommandExecutor::CommandExecutor(std::unique_ptr<CommandLoop> loop)
    : loop_(std::move(loop)), thread_([this] { loop_->Run(); }) {}

CommandExecutor::~CommandExecutor() {
  loop_->End();
  thread_.join();
}

void CommandExecutor::Start(std::vector<NumberedAssignment> work) { loop_->Start(std::move(work)); }

void CommandExecutor::Stop(const std::vector<engine::StopOrder>& orders) { loop_->Stop(orders); }

}  // namespace jobrunner::workers
