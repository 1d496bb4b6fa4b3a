#include "client/event_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/duration_text.h"
#include "client/library/safe_text.h"
#include "client/state_text.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {
namespace {

std::string JobName(const v1::Event& event) {
  if (event.job_key().empty()) return absl::StrCat("job ", event.job_index());
  return absl::StrCat("job ", event.job_index(), " (", SafeText(event.job_key()), ")");
}

std::string OnWorker(const std::string& worker) {
  return worker.empty() ? "" : absl::StrCat(", ", SafeText(worker));
}

std::string ResultLine(const v1::Event& event) {
  const v1::JobResult& result = event.result();
  const bool succeeded = result.state() == v1::JOB_STATE_SUCCEEDED;
  std::string line = absl::StrCat(succeeded ? "✔ " : "✘ ", JobName(event), ": ", ResultText(result),
                                  OnWorker(result.worker()));
  if (result.attempts() > 1) absl::StrAppend(&line, ", attempt ", result.attempts());
  if (const std::string omitted = OmittedText(result); !omitted.empty()) {
    absl::StrAppend(&line, "; ", omitted);
  }
  return line;
}

std::string AttemptErrorLine(const v1::Event& event) {
  const v1::AttemptError& failure = event.attempt_error();
  std::string line =
      absl::StrCat("↻ ", JobName(event), ": attempt ", failure.attempt(),
                   " failed: ", ErrorText(failure.error()), OnWorker(failure.worker()));
  if (!failure.will_retry()) return line;
  const absl::Duration wait = FromProto(failure.next_attempt_time()) - FromProto(event.time());
  return absl::StrCat(line, "; again in ",
                      DurationText(wait > absl::ZeroDuration() ? wait : absl::ZeroDuration()));
}

std::string ProgressText(const v1::Event& event) {
  return absl::StrFormat("… %s: %.0f%% %s", JobName(event), event.progress().fraction() * 100,
                         SafeText(event.progress().message()));
}

std::string FinishedLine(const v1::BatchFinished& finished) {
  std::string line = absl::StrCat("batch ", StateName(finished.state()), ": ", finished.succeeded(),
                                  " succeeded, ", finished.failed(), " failed, ",
                                  finished.cancelled(), " cancelled");
  if (finished.has_error()) absl::StrAppend(&line, "; ", ErrorText(finished.error()));
  return line;
}

}  // namespace

std::string EventLine(const v1::Event& event) {
  switch (event.kind_case()) {
    case v1::Event::kProgress:
      return ProgressText(event);
    case v1::Event::kAttemptError:
      return AttemptErrorLine(event);
    case v1::Event::kResult:
      return ResultLine(event);
    case v1::Event::kBatchFinished:
      return FinishedLine(event.batch_finished());
    case v1::Event::kOutput:
    case v1::Event::KIND_NOT_SET:
      return "";
  }
  return "";
}

std::string BatchEventLine(const v1::BatchEvent& event) {
  return absl::StrCat(SafeText(event.batch_id()), " ", EventLine(event.event()));
}

std::string ErrorText(const v1::Error& error) {
  std::string text =
      error.message().empty() ? ReasonName(error.reason()) : SafeText(error.message());
  if (error.critical()) absl::StrAppend(&text, " (critical)");
  return text;
}

std::string ResultText(const v1::JobResult& result) {
  std::string text = StateName(result.state());
  if (result.has_run_time()) {
    absl::StrAppend(&text, result.state() == v1::JOB_STATE_SUCCEEDED ? " in " : " after ",
                    DurationText(FromProto(result.run_time())));
  }
  if (result.has_error()) absl::StrAppend(&text, ": ", ErrorText(result.error()));
  return text;
}

std::string OmittedText(const v1::JobResult& result) {
  const int64_t output = result.output_omitted();
  const int64_t error_output = result.error_output_omitted();
  if (output > 0 && error_output > 0) {
    return absl::StrCat(output, " bytes of its standard output and ", error_output,
                        " of its standard error were left out");
  }
  if (output > 0) return absl::StrCat(output, " bytes of its standard output were left out");
  if (error_output > 0) {
    return absl::StrCat(error_output, " bytes of its standard error were left out");
  }
  return result.output_truncated() ? "some of its output was left out" : "";
}

}  // namespace jobrunner::client
