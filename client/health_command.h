#pragma once

#include "absl/status/statusor.h"
#include "client/common_options.h"

namespace jobrunner::client {

struct HealthOptions {
  absl::Duration timeout = absl::Seconds(2);
};

// Asks whether the server serves: exit status 0, or 1 when it does not, drains or cannot be
// reached.
absl::StatusOr<int> HealthCommand(const CommonOptions& common, const HealthOptions& options);

}  // namespace jobrunner::client
