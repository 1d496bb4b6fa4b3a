#include "server/log_level.h"

namespace jobrunner::server {

std::optional<base::LogLevel> ParseLogLevel(std::string_view name) {
  using base::LogLevel;
  for (LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    if (name == base::LogLevelName(level)) return level;
  }
  return std::nullopt;
}

}  // namespace jobrunner::server
