#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/logging.h"

namespace jobrunner::test {

// Keeps every message, of every level, for a test to look at.
class RecordingLogger final : public base::Logger {
 public:
  using Message = std::pair<base::LogLevel, std::string>;

  bool Enabled(base::LogLevel) const override { return true; }
  void Log(base::LogLevel level, std::string_view message) override ABSL_LOCKS_EXCLUDED(mutex_);

  std::vector<Message> messages() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  std::vector<Message> messages_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobrunner::test
