// The configuration read again, while the server serves.

#pragma once

#include <string>
#include <vector>

#include "jobrunner/config/v1/config.pb.h"

namespace jobrunner::server {

// Both have their defaults. Takes over into `*current` what can change while the server serves:
// workers, queues, log.level. Returns what `read` says otherwise and what therefore waits for the
// next start, a line each, as "listen: \"127.0.0.1:1\" -> \"127.0.0.1:2\"".
std::vector<std::string> TakeOver(const config::v1::Config& read, config::v1::Config* current);

}  // namespace jobrunner::server
