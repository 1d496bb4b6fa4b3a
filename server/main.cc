#include <variant>

#include "absl/synchronization/mutex.h"
#include "offline/store_tool.h"
#include "server/daemon.h"
#include "server/flags.h"
#include "server/signal_watch.h"
#include "server/standard_descriptors.h"

int main(int argc, char** argv) {
  using namespace jobrunner::server;
  // Debian builds absl with its debugging on, where every lock looks for deadlocks: the tests keep
  // that, the server does without.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  OpenStandardDescriptors();
  if (const auto exit_code = jobrunner::offline::RunStoreTool(argc, argv)) return *exit_code;
  const std::variant<Flags, ExitCode> parsed = ParseFlags(argc, argv);
  if (const auto* exit = std::get_if<ExitCode>(&parsed)) return exit->code;
  BlockSignals();
  return Daemon(std::get<Flags>(parsed)).Run();
}
