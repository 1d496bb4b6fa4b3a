#pragma once

#include <cstdint>
#include <string>

#include "engine/attempt.h"
#include "workers/command_catalog.h"

namespace jobrunner::workers {

// What a command is executed with, as spawner_protocol.h lays it out.
struct CommandBody {
  std::string bytes;
  uint32_t arguments = 0;
  uint32_t variables = 0;
};

// `path` is the file to execute. The environment is the catalog's, then the job's own, which wins,
// then what jobrunner says of the attempt.
CommandBody BuildCommandBody(const engine::Assignment& assignment, const CommandCatalog& catalog,
                             const std::string& path);

}  // namespace jobrunner::workers
