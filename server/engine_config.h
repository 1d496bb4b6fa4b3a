// What the configuration says, as the engine takes it.

#pragma once

#include <vector>

#include "engine/engine.h"
#include "jobrunner/config/v1/config.pb.h"

namespace jobrunner::server {

// Of a configuration that was checked and has its defaults.
engine::PoolBounds PoolBoundsOf(const config::v1::Workers& workers);
std::vector<engine::QueueSettings> QueuesOf(const config::v1::Config& config);
// All but epoch, seed and durable.
engine::EngineOptions EngineOptionsOf(const config::v1::Config& config);

}  // namespace jobrunner::server
