#include "client/run_output.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/duration_text.h"
#include "client/event_text.h"
#include "client/library/safe_text.h"
#include "jobrunner/v1/event.pb.h"

namespace jobrunner::client {
namespace {

constexpr int kTimedOut = 124;
constexpr int kNotStarted = 127;
constexpr int kSignalled = 128;

bool RanToItsEnd(const v1::JobResult& result) {
  return result.state() == v1::JOB_STATE_SUCCEEDED ||
         result.error().reason() == v1::REASON_EXIT_CODE ||
         result.error().reason() == v1::REASON_SIGNAL;
}

// As GNU parallel logs them: a signal has a column of its own, -1 is for what was stopped.
int LoggedExitValue(const v1::JobResult& result) {
  if (result.error().reason() == v1::REASON_SPAWN_FAILED) return kNotStarted;
  if (!RanToItsEnd(result)) return -1;
  return result.signal() != 0 ? 0 : result.exit_code();
}

// A command that exits with an error says why itself; the rest nobody else would say.
bool NeedsExplanation(const v1::JobResult& result) {
  return result.state() != v1::JOB_STATE_SUCCEEDED &&
         result.error().reason() != v1::REASON_EXIT_CODE &&
         result.error().reason() != v1::REASON_FAILURE_POLICY &&
         result.error().reason() != v1::REASON_CLIENT_CANCEL;
}

}  // namespace

int ExitStatusOf(const v1::JobResult& result) {
  if (result.state() == v1::JOB_STATE_SUCCEEDED) return 0;
  switch (result.error().reason()) {
    case v1::REASON_SPAWN_FAILED:
      return kNotStarted;
    case v1::REASON_ATTEMPT_TIMEOUT:
    case v1::REASON_START_TIMEOUT:
    case v1::REASON_TOTAL_TIMEOUT:
    case v1::REASON_BATCH_TIMEOUT:
      return kTimedOut;
    default:
      break;
  }
  if (result.signal() != 0) return kSignalled + result.signal();
  return result.exit_code() != 0 ? result.exit_code() : 1;
}

RunOutput::RunOutput(Options options, std::unique_ptr<JobLog> log, OutputStream* out,
                     OutputStream* notes)
    : options_(options), log_(std::move(log)), out_(out), notes_(notes), bar_(notes) {}

void RunOutput::Ended(const RunJob& job, v1::Event event) {
  v1::JobResult& result = *event.mutable_result();
  if (log_ != nullptr && result.attempts() > 0) Log(job, event);
  if (NeedsExplanation(result) || !OmittedText(result).empty()) Explain(job, result);
  if (options_.format == OutputFormat::kJson) return ShowJson(job, std::move(event));
  JobOutput output{job.sequence, job.argument, std::move(*result.mutable_output()),
                   std::move(*result.mutable_error_output())};
  if (!options_.keep_order) return Show(output);
  for (const JobOutput& ready : ordered_.Add(std::move(output))) Show(ready);
}

void RunOutput::Happened(const RunJob& job, v1::Event event) {
  if (options_.format == OutputFormat::kJson) ShowJson(job, std::move(event));
}

void RunOutput::Remark(const std::string& text) {
  bar_.Clear();
  out_->Flush().IgnoreError();
  notes_->Append(absl::StrCat("jobrunner: ", text, "\n"));
  notes_->Flush().IgnoreError();
}

absl::Time RunOutput::Draw(const RunProgress& progress) {
  return options_.bar ? bar_.Draw(progress, absl::Now()) : absl::InfiniteFuture();
}

void RunOutput::Finish() {
  bar_.Clear();
  for (const JobOutput& output : ordered_.TakeRest()) Show(output);
}

absl::Status RunOutput::Flush() {
  notes_->Flush().IgnoreError();
  const absl::Status status = out_->Flush();
  return status.ok() ? log_status_ : status;
}

void RunOutput::Log(const RunJob& job, const v1::Event& event) {
  const v1::JobResult& result = event.result();
  const absl::Duration run_time = FromProto(result.run_time());
  const absl::Status status =
      log_->Add({job.sequence, FromProto(event.time()) - run_time, run_time, result.output_bytes(),
                 LoggedExitValue(result), result.signal(), job.command});
  if (log_status_.ok()) log_status_ = status;
}

void RunOutput::Explain(const RunJob& job, const v1::JobResult& result) {
  std::string text = absl::StrCat("job ", job.sequence, " (", SafeText(job.command), ")");
  if (NeedsExplanation(result)) absl::StrAppend(&text, " ", ResultText(result));
  if (const std::string omitted = OmittedText(result); !omitted.empty()) {
    absl::StrAppend(&text, ": ", omitted);
    was_cut_ = true;
  }
  Remark(text);
}

// The numbers in the log of one batch mean nothing in a run of several.
void RunOutput::ShowJson(const RunJob& job, v1::Event event) {
  event.set_sequence(0);
  event.set_job_index(static_cast<int32_t>(job.sequence - 1));
  event.set_job_key(IsUtf8(job.argument) ? job.argument : SafeText(job.argument));
  bar_.Clear();
  out_->Append(JsonLine(event));
}

void RunOutput::Show(const JobOutput& output) {
  Write(out_, output, output.output);
  if (output.error_output.empty()) return;
  out_->Flush().IgnoreError();
  Write(notes_, output, output.error_output);
  notes_->Flush().IgnoreError();
}

void RunOutput::Write(OutputStream* stream, const JobOutput& job, const std::string& text) {
  if (text.empty()) return;
  bar_.Clear();
  if (options_.tag) return stream->AppendLines(absl::StrCat(job.argument, "\t"), text);
  stream->Append(text);
}

}  // namespace jobrunner::client
