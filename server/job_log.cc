#include "server/job_log.h"

#include <string>
#include <utility>

#include "base/spdlog_logger.h"
#include "base/status_macros.h"
#include "server/job_log_line.h"

namespace jobrunner::server {
namespace {

// More than the engine finishes while the disk takes one breath.
constexpr size_t kLinesQueuedMax = 64 << 10;
constexpr int kStandardError = 2;

}  // namespace

absl::StatusOr<std::unique_ptr<JobLog>> JobLog::Open(const config::v1::Log& log) {
  const bool to_console = log.job_log() == "-";
  base::SpdlogOptions options;
  options.console_fd = to_console ? kStandardError : -1;
  if (!to_console) options.file = log.job_log();
  options.file_bytes_max = log.file_bytes_max();
  options.bare_lines = true;
  options.queued_max = kLinesQueuedMax;
  ASSIGN_OR_RETURN(auto lines, base::SpdlogLogger::Open(options));
  return std::unique_ptr<JobLog>(new JobLog(std::move(lines), log.job_log_format() == "json"));
}

JobLog::JobLog(std::unique_ptr<base::SpdlogLogger> lines, bool as_json)
    : as_json_(as_json), lines_(std::move(lines)) {}

JobLog::~JobLog() = default;

void JobLog::Happened(const engine::BatchHeader& batch, const v1::Event& event, bool /*failure*/) {
  const std::string line = as_json_ ? JobLogJson(batch, event) : JobLogText(batch, event);
  if (!line.empty()) lines_->Log(base::LogLevel::kInfo, line);
}

void JobLog::Close() { lines_->Close(); }

uint64_t JobLog::dropped() const { return lines_->dropped(); }

}  // namespace jobrunner::server
