// Names that are there for good.

#pragma once

#include <string>

#include "absl/status/status.h"

namespace jobrunner::storage {

// What was made or renamed in the directory is stable when this returns. Blocks.
absl::Status SyncDirectory(const std::string& path);

}  // namespace jobrunner::storage
