#pragma once

#include <cstdint>

namespace jobrunner::base {
class Logger;
}

namespace jobrunner::server {

// Raises the number of descriptors that this process may have to the most that it is allowed: each
// connection takes one, each running command a few. What was started before keeps the limit it has.
// Warns when it is not enough for `commands_max` commands at once.
void RaiseDescriptorLimit(int32_t commands_max, base::Logger* logger);

}  // namespace jobrunner::server
