#pragma once

#include <optional>
#include <string_view>

#include "base/logging.h"

namespace jobrunner::server {

// The level that LogLevelName gives this name; nullopt for any other name.
std::optional<base::LogLevel> ParseLogLevel(std::string_view name);

}  // namespace jobrunner::server
