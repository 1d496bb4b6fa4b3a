#pragma once

#include <string>
#include <vector>

#include "engine/queue_settings.h"
#include "jobrunner/v1/batch.pb.h"
#include "simulation/chance.h"

namespace jobrunner::simulation {

// A valid batch with options of every kind, for one of the queues; with jobs for these handlers of
// remote workers, if there are any.
v1::BatchSpec RandomBatch(Chance& chance, const std::vector<std::string>& queues,
                          const std::vector<std::string>& remote_handlers);

v1::JobOptions RandomOptions(Chance& chance);

// Queues by these names, with limits and defaults.
std::vector<engine::QueueSettings> RandomQueues(Chance& chance,
                                                const std::vector<std::string>& names);

}  // namespace jobrunner::simulation
