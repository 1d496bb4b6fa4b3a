#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace jobrunner::client {

// One line of a job log, in the format of GNU parallel's --joblog: tab-separated Seq, Host,
// Starttime (Unix time), JobRuntime (seconds), Send (0), Receive (bytes of standard output),
// Exitval (-1: did not run to its end), Signal, Command.
struct JobLogEntry {
  int64_t sequence = 0;
  absl::Time start;
  absl::Duration run_time;
  int64_t received_bytes = 0;
  int exit_value = 0;
  int signal = 0;
  std::string command;
};

std::string JobLogHeader();
std::string JobLogLine(const JobLogEntry& entry);

// A file of such lines, written line by line so that a reader can follow it. Not thread-safe.
class JobLog {
 public:
  // Replaces the file. Errors: the file cannot be made.
  static absl::StatusOr<std::unique_ptr<JobLog>> Create(const std::string& path);

  absl::Status Add(const JobLogEntry& entry);

 private:
  struct Close {
    void operator()(FILE* file) const { fclose(file); }
  };

  explicit JobLog(FILE* file) : file_(file) {}
  absl::Status Write(const std::string& text);

  const std::unique_ptr<FILE, Close> file_;
};

}  // namespace jobrunner::client
