#include "base/spdlog_logger.h"

#include <signal.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/console.h"
#include "base/rotating_file.h"
#include "base/status_macros.h"

namespace jobrunner::base {
namespace {

constexpr char kLinePattern[] = "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
constexpr char kBarePattern[] = "%v";

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  JOBRUNNER_CHECK(false && "a LogLevel outside of its enum");
}

// Writes formatted lines to a Console or a RotatingFile. Only the logger's own thread calls it.
template <class Target>
class TargetSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  TargetSink(std::unique_ptr<Target> target, std::atomic<uint64_t>* unwritten)
      : target_(std::move(target)), unwritten_(*unwritten) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (!target_->Write({line.data(), line.size()})) ++unwritten_;
  }
  void flush_() override {}

  std::unique_ptr<Target> target_;
  std::atomic<uint64_t>& unwritten_;
};

template <class Target>
spdlog::sink_ptr MakeSink(std::unique_ptr<Target> target, std::atomic<uint64_t>* unwritten) {
  return std::make_shared<TargetSink<Target>>(std::move(target), unwritten);
}

// Signals are for the server's signal thread; and a closed pipe is to give EPIPE, not SIGPIPE.
void BlockAllSignals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

std::string Escaped(std::string_view message) {
  std::string escaped;
  for (char c : message) {
    if (c == '\n') {
      escaped += "\\n";
    } else if (IsControl(c)) {
      absl::StrAppendFormat(&escaped, "\\x%02x", static_cast<unsigned char>(c));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace

struct SpdlogLogger::Sinks {
  std::unique_ptr<Console> console;
  std::unique_ptr<RotatingFile> file;
};

absl::StatusOr<std::unique_ptr<SpdlogLogger>> SpdlogLogger::Open(const SpdlogOptions& options) {
  auto sinks = std::make_unique<Sinks>();
  if (options.console_fd >= 0) sinks->console = std::make_unique<Console>(options.console_fd);
  if (!options.file.empty()) {
    ASSIGN_OR_RETURN(sinks->file,
                     RotatingFile::Open(options.file, options.file_bytes_max, options.files_kept));
  }
  return std::unique_ptr<SpdlogLogger>(new SpdlogLogger(options, std::move(sinks)));
}

SpdlogLogger::SpdlogLogger(const SpdlogOptions& options, std::unique_ptr<Sinks> sinks)
    : pool_(
          std::make_shared<spdlog::details::thread_pool>(options.queued_max, 1, &BlockAllSignals)) {
  std::vector<spdlog::sink_ptr> targets;
  if (sinks->console) targets.push_back(MakeSink(std::move(sinks->console), &unwritten_));
  if (sinks->file) targets.push_back(MakeSink(std::move(sinks->file), &unwritten_));
  logger_ =
      std::make_shared<spdlog::async_logger>("jobrunner", targets.begin(), targets.end(), pool_,
                                             spdlog::async_overflow_policy::overrun_oldest);
  logger_->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      options.bare_lines ? kBarePattern : kLinePattern, spdlog::pattern_time_type::utc));
  // For what goes wrong in the logger's thread; spdlog's own handler would print.
  logger_->set_error_handler([this](const std::string&) { ++unwritten_; });
  SetLevel(options.level);
}

SpdlogLogger::~SpdlogLogger() { Close(); }

bool SpdlogLogger::Enabled(LogLevel level) const { return logger_->should_log(ToSpdlog(level)); }

void SpdlogLogger::Log(LogLevel level, std::string_view message) {
  if (!Enabled(level)) return;
  // spdlog throws here when memory is short and after Close.
  try {
    if (std::any_of(message.begin(), message.end(), IsControl)) {
      logger_->log(ToSpdlog(level), spdlog::string_view_t(Escaped(message)));
    } else {
      logger_->log(ToSpdlog(level), spdlog::string_view_t(message.data(), message.size()));
    }
  } catch (const std::exception&) {
    ++unwritten_;
  }
}

void SpdlogLogger::SetLevel(LogLevel level) { logger_->set_level(ToSpdlog(level)); }

// The end of the pool is the end of its thread, after all that was queued.
void SpdlogLogger::Close() {
  absl::MutexLock lock(&mutex_);
  if (pool_ == nullptr) return;
  // The message that ends the thread may itself push one out of a full queue, so that the count is
  // final only when nothing more is logged.
  overrun_at_close_ = pool_->overrun_counter();
  pool_.reset();
}

uint64_t SpdlogLogger::dropped() const {
  absl::MutexLock lock(&mutex_);
  return unwritten_ + (pool_ != nullptr ? pool_->overrun_counter() : overrun_at_close_);
}

}  // namespace jobrunner::base
