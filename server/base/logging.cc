#include "base/logging.h"

#include "base/check.h"

namespace jobrunner::base {

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  JOBRUNNER_CHECK(false && "a LogLevel outside of its enum");
}

}  // namespace jobrunner::base
