// Whether a configuration is one that can be served.

#pragma once

#include "absl/status/status.h"
#include "jobrunner/config/v1/config.pb.h"

namespace jobrunner::server {

// Checks every field of a configuration whose defaults are filled in. INVALID_ARGUMENT with one
// line for each field that is wrong: "queues[1].max_running: must be 0 or more". Looks at no file.
absl::Status CheckConfig(const config::v1::Config& config);

}  // namespace jobrunner::server
