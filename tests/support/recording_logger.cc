#include "support/recording_logger.h"

namespace jobrunner::test {

void RecordingLogger::Log(base::LogLevel level, std::string_view message) {
  absl::MutexLock lock(&mutex_);
  messages_.emplace_back(level, message);
}

std::vector<RecordingLogger::Message> RecordingLogger::messages() const {
  absl::MutexLock lock(&mutex_);
  return messages_;
}

}  // namespace jobrunner::test
