#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/common_options.h"
#include "jobrunner/config/v1/config.pb.h"

namespace jobrunner::client {

struct WorkerOptions {
  // At least one.
  std::vector<std::string> pools;
  // Empty: this machine's name.
  std::string name;
  // 0: as a server's own pool has them.
  int32_t slots = 0;
  std::map<std::string, std::string> labels;
  // As in a server's configuration.
  config::v1::Commands commands;
};

// Runs the commands of pools for the server until SIGTERM, SIGINT or SIGHUP; what was taken is
// finished. A second signal ends it at once, and its commands. Blocks. INVALID_ARGUMENT for
// commands that cannot be allowed, or for a worker that the server does not take.
absl::StatusOr<int> WorkerCommand(const CommonOptions& common, const WorkerOptions& options);

}  // namespace jobrunner::client
