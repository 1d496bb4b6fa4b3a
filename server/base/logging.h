#pragma once

#include <string>
#include <string_view>

#include "absl/strings/str_format.h"

namespace jobrunner::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// The level's name in lower case, as the configuration spells it.
std::string_view LogLevelName(LogLevel level);

// Where messages go. Implementations may be called from any thread; they neither block nor throw:
// a message that cannot be written is dropped.
class Logger {
 public:
  virtual ~Logger() = default;

  // Whether a message of this level would be kept; spares building one that would not.
  virtual bool Enabled(LogLevel level) const = 0;

  // `message` is one line, without an end of line.
  virtual void Log(LogLevel level, std::string_view message) = 0;
};

// Drops everything.
class NullLogger final : public Logger {
 public:
  bool Enabled(LogLevel) const override { return false; }
  void Log(LogLevel, std::string_view) override {}
};

template <typename... Args>
void LogAt(LogLevel level, Logger& logger, const absl::FormatSpec<Args...>& format,
           const Args&... args) {
  if (logger.Enabled(level)) logger.Log(level, absl::StrFormat(format, args...));
}

// LogInfo(logger, "batch %s: %d jobs", id, count): printf's format, checked at compile time.
template <typename... Args>
void LogDebug(Logger& logger, const absl::FormatSpec<Args...>& format, const Args&... args) {
  LogAt(LogLevel::kDebug, logger, format, args...);
}
template <typename... Args>
void LogInfo(Logger& logger, const absl::FormatSpec<Args...>& format, const Args&... args) {
  LogAt(LogLevel::kInfo, logger, format, args...);
}
template <typename... Args>
void LogWarning(Logger& logger, const absl::FormatSpec<Args...>& format, const Args&... args) {
  LogAt(LogLevel::kWarning, logger, format, args...);
}
template <typename... Args>
void LogError(Logger& logger, const absl::FormatSpec<Args...>& format, const Args&... args) {
  LogAt(LogLevel::kError, logger, format, args...);
}

}  // namespace jobrunner::base
