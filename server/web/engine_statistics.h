#pragma once

#include <chrono>

#include "absl/status/statusor.h"
#include "engine/statistics.h"

namespace jobrunner::engine {
class EngineThread;
}

namespace jobrunner::web {

// Asks the engine what it has counted, and blocks for its answer, so not for its own thread.
// DEADLINE_EXCEEDED when there is none in time: the engine is busy, or has ended.
absl::StatusOr<engine::Statistics> AskForStatistics(engine::EngineThread* engine,
                                                    std::chrono::milliseconds timeout);

}  // namespace jobrunner::web
