#include "client/worker_command.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/spdlog_logger.h"
#include "base/status_macros.h"
#include "client/exit_code.h"
#include "client/signal_watcher.h"
#include "worker/worker.h"

namespace jobrunner::client {
namespace {

std::string HostName() {
  std::string name(HOST_NAME_MAX + 1, '\0');
  if (gethostname(name.data(), name.size()) != 0) return "worker";
  name.resize(name.find('\0'));
  return name;
}

int32_t SlotsOfOwnPool() {
  return std::max(4, 2 * static_cast<int32_t>(std::thread::hardware_concurrency()));
}

absl::StatusOr<worker::WorkerOptions> Translate(const CommonOptions& common,
                                                const WorkerOptions& options) {
  worker::WorkerOptions translated;
  translated.address = common.server.empty() ? kDefaultServer : common.server;
  translated.name = options.name.empty() ? HostName() : options.name;
  translated.slots = options.slots > 0 ? options.slots : SlotsOfOwnPool();
  translated.labels = options.labels;
  translated.pools = options.pools;
  ASSIGN_OR_RETURN(translated.commands, workers::CommandCatalog::Load(options.commands));
  return translated;
}

}  // namespace

absl::StatusOr<int> WorkerCommand(const CommonOptions& common, const WorkerOptions& options) {
  // Before there are other threads.
  SignalWatcher signals;
  ASSIGN_OR_RETURN(worker::WorkerOptions translated, Translate(common, options));
  ASSIGN_OR_RETURN(const auto logger, base::SpdlogLogger::Open({}));
  translated.logger = logger.get();
  base::LogInfo(*logger, "worker %s: %d slots for commands of %d pools, at %s", translated.name,
                translated.slots, translated.pools.size(), translated.address);
  ASSIGN_OR_RETURN(const auto worker, worker::Worker::Create({}, std::move(translated)));
  signals.Tell([&](int) {
    base::LogInfo(*logger, "leaving: what was taken is finished");
    worker->Leave();
  });
  const absl::Status end = worker->Run();
  signals.Tell(nullptr);
  RETURN_IF_ERROR(end);
  return kSuccess;
}

}  // namespace jobrunner::client
