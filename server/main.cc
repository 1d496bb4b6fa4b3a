#include <variant>

#include "server/daemon.h"
#include "server/flags.h"
#include "server/signal_watch.h"
#include "server/standard_descriptors.h"

int main(int argc, char** argv) {
  using namespace jobrunner::server;
  OpenStandardDescriptors();
  const std::variant<Flags, ExitCode> parsed = ParseFlags(argc, argv);
  if (const auto* exit = std::get_if<ExitCode>(&parsed)) return exit->code;
  BlockSignals();
  return Daemon(std::get<Flags>(parsed)).Run();
}
