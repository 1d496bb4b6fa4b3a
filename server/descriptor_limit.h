#pragma once

namespace jobrunner::base {
class Logger;
}

namespace jobrunner::server {

// Raises the number of descriptors that this process may have to the most that it is allowed: each
// connection takes one, each running command a few. What was started before keeps the limit it has.
void RaiseDescriptorLimit(base::Logger* logger);

}  // namespace jobrunner::server
