#include "client/joblog.h"

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/library/safe_text.h"

namespace jobrunner::client {

std::string JobLogHeader() {
  return "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";
}

std::string JobLogLine(const JobLogEntry& entry) {
  return absl::StrFormat("%d\t:\t%.3f\t%10.3f\t0\t%d\t%d\t%d\t%s\n", entry.sequence,
                         absl::ToDoubleSeconds(entry.start - absl::UnixEpoch()),
                         absl::ToDoubleSeconds(entry.run_time), entry.received_bytes,
                         entry.exit_value, entry.signal, SafeText(entry.command));
}

absl::StatusOr<std::unique_ptr<JobLog>> JobLog::Create(const std::string& path) {
  FILE* file = fopen(path.c_str(), "we");
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("--joblog ", path));
  std::unique_ptr<JobLog> log(new JobLog(file));
  const absl::Status status = log->Write(JobLogHeader());
  if (!status.ok()) return status;
  return log;
}

absl::Status JobLog::Add(const JobLogEntry& entry) { return Write(JobLogLine(entry)); }

absl::Status JobLog::Write(const std::string& text) {
  if (fputs(text.c_str(), file_.get()) < 0 || fflush(file_.get()) != 0) {
    return absl::ErrnoToStatus(errno, "writing the job log");
  }
  return absl::OkStatus();
}

}  // namespace jobrunner::client
