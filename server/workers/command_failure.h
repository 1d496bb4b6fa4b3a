#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "engine/attempt.h"
#include "workers/spawner_protocol.h"

namespace jobrunner::workers {

// What went wrong with a command, in words for people.

// `path` is the file that was to be executed, `working_directory` where.
engine::Failure SpawnFailure(const SpawnReport& report, const std::string& path,
                             const std::string& working_directory);
engine::Failure ProgramNotFound(const absl::Status& status);
engine::Failure NotAllowed(std::string why);
engine::Failure NoDescriptorsLeft(int error);
engine::Failure StoppedBeforeStart();
engine::Failure SpawnerLost(const std::string& why);
engine::Failure Unkillable();

// Null when it ended well.
std::unique_ptr<engine::Failure> ExitFailure(const SpawnReport& report);

}  // namespace jobrunner::workers
