#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/logging.h"

namespace spdlog {
class async_logger;
namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace jobrunner::base {

struct SpdlogOptions {
  LogLevel level = LogLevel::kInfo;
  // Where lines go beside the file; -1 for nowhere. Not owned.
  int console_fd = 2;
  // A rotating file; none when empty.
  std::string file;
  int64_t file_bytes_max = 64 << 20;
  int files_kept = 5;
  // Lines are written as they are logged, without time and level.
  bool bare_lines = false;
  // Messages that wait to be written; past it the oldest is dropped.
  size_t queued_max = 8192;
};

// A logger that hands messages to a thread of its own, which writes them to the console and to a
// rotating file. A disk that is full or a pipe that is closed or not read costs messages, which are
// counted, never time: Log does not block on either. Control characters in messages are escaped, so
// that one message is one line.
//
// Any thread may call anything.
class SpdlogLogger final : public Logger {
 public:
  // An error when the file cannot be opened.
  static absl::StatusOr<std::unique_ptr<SpdlogLogger>> Open(const SpdlogOptions& options);

  // Closes.
  ~SpdlogLogger() override;

  bool Enabled(LogLevel level) const override;
  void Log(LogLevel level, std::string_view message) override;

  void SetLevel(LogLevel level);

  // Blocks until everything logged so far is written or dropped, and ends the thread; what is
  // logged afterwards is dropped. May be called twice.
  void Close() ABSL_LOCKS_EXCLUDED(mutex_);

  // How many messages were not written, to the console or to the file.
  uint64_t dropped() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Sinks;

  SpdlogLogger(const SpdlogOptions& options, std::unique_ptr<Sinks> sinks);

  std::atomic<uint64_t> unwritten_ = 0;
  std::shared_ptr<spdlog::async_logger> logger_;

  mutable absl::Mutex mutex_;
  std::shared_ptr<spdlog::details::thread_pool> pool_ ABSL_GUARDED_BY(mutex_);
  uint64_t overrun_at_close_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace jobrunner::base
