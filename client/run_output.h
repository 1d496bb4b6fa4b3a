#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/joblog.h"
#include "client/ordered_output.h"
#include "client/output_stream.h"
#include "client/printer.h"
#include "client/progress_bar.h"

namespace jobrunner::v1 {
class Event;
class JobResult;
}  // namespace jobrunner::v1

namespace jobrunner::client {

// A job of a run, as the run knows it.
struct RunJob {
  // From 1.
  int64_t sequence = 0;
  std::string argument;
  std::string command;
};

// What a job's shell would have exited with: its exit code, 128 + its signal, 124 after a timeout,
// 127 when it could not be started, 0 when it succeeded.
int ExitStatusOf(const v1::JobResult& result);

// Shows a run: what its jobs wrote, a job at a time, the job log, the bar, and remarks. Not
// thread-safe; blocks while the reader of the output does.
class RunOutput {
 public:
  struct Options {
    OutputFormat format = OutputFormat::kText;
    bool keep_order = false;
    // The argument and a tab before each line.
    bool tag = false;
    bool bar = false;
  };

  // `log` may be null. The streams outlive it.
  RunOutput(Options options, std::unique_ptr<JobLog> log, OutputStream* out, OutputStream* notes);

  // A job has ended; the event has its result.
  void Ended(const RunJob& job, v1::Event event);
  // Something happened to a job that goes on.
  void Happened(const RunJob& job, v1::Event event);

  // "jobrunner: …" on standard error.
  void Remark(const std::string& text);

  // Draws the bar, if there is one; returns when to come again.
  absl::Time Draw(const RunProgress& progress);

  // Shows what --keep-order holds for jobs that never come, and takes the bar away.
  void Finish();

  // Errors: of standard output, or of the job log.
  absl::Status Flush();

  // Some output was more than the server keeps.
  bool was_cut() const { return was_cut_; }
  int64_t held_bytes() const { return ordered_.held_bytes(); }

 private:
  void Log(const RunJob& job, const v1::Event& event);
  void Explain(const RunJob& job, const v1::JobResult& result);
  void ShowJson(const RunJob& job, v1::Event event);
  void Show(const JobOutput& output);
  void Write(OutputStream* stream, const JobOutput& job, const std::string& text);

  const Options options_;
  const std::unique_ptr<JobLog> log_;
  OutputStream* const out_;
  OutputStream* const notes_;
  ProgressBar bar_;
  OrderedOutput ordered_;
  absl::Status log_status_;
  bool was_cut_ = false;
};

}  // namespace jobrunner::client
