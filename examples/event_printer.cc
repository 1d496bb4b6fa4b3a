#include "event_printer.h"

#include <cstdio>
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/time_util.h"

namespace jobrunner::examples {
namespace {

using google::protobuf::util::TimeUtil;

int64_t Milliseconds(const google::protobuf::Duration& duration) {
  return TimeUtil::DurationToMilliseconds(duration);
}

// " (BATCH_TIMEOUT): the timeout of the batch passed"
std::string Why(const v1::Error& error) {
  const std::string reason = v1::Reason_Name(error.reason());
  return absl::StrCat(" (", absl::StripPrefix(reason, "REASON_"), "): ", error.message());
}

std::string ResultText(const std::string& name, const v1::JobResult& result) {
  if (result.attempts() == 0) return absl::StrCat("⊘ ", name, " never ran", Why(result.error()));
  const std::string who = absl::StrCat(result.worker(), ": ", name);
  const int64_t time = Milliseconds(result.run_time());
  switch (result.state()) {
    case v1::JOB_STATE_SUCCEEDED:
      return absl::StrCat("✔ ", who, " done in ", time, " ms: ", result.output());
    case v1::JOB_STATE_CANCELLED:
      return absl::StrCat("⊘ ", who, " stopped after ", time, " ms", Why(result.error()));
    default:
      return absl::StrCat("✘ ", who, " failed after ", time, " ms: ", result.error().message());
  }
}

std::string AttemptErrorText(const std::string& name, const v1::AttemptError& attempt) {
  return absl::StrCat("✘ ", attempt.worker(), ": ", name, " failed, attempt ", attempt.attempt(),
                      ": ", attempt.error().message());
}

std::string FinishedText(const v1::BatchFinished& finished) {
  const std::string state = v1::BatchState_Name(finished.state());
  return absl::StrCat("the batch is ", absl::StripPrefix(state, "BATCH_STATE_"), ": ",
                      finished.succeeded(), " succeeded, ", finished.failed(), " failed, ",
                      finished.cancelled(), " cancelled");
}

std::string EventText(const v1::Event& event) {
  switch (event.kind_case()) {
    case v1::Event::kResult:
      return ResultText(event.job_key(), event.result());
    case v1::Event::kAttemptError:
      return AttemptErrorText(event.job_key(), event.attempt_error());
    case v1::Event::kBatchFinished:
      return FinishedText(event.batch_finished());
    case v1::Event::kProgress:
      return absl::StrCat(event.job_key(), ": ", event.progress().message());
    case v1::Event::kOutput:
      return absl::StrCat(event.job_key(), ": ", event.output().output());
    case v1::Event::KIND_NOT_SET:
      return "";
  }
  return "";
}

}  // namespace

void EventPrinter::Print(const v1::Event& event) const {
  std::cout << absl::StrFormat("%6d ms  %s", Milliseconds(event.time() - start_), EventText(event))
            << std::endl;
}

int ExitStatusOf(const absl::StatusOr<v1::Batch>& batch) {
  if (!batch.ok()) {
    std::cerr << batch.status().ToString() << std::endl;
    return 2;
  }
  return batch->state() == v1::BATCH_STATE_SUCCEEDED ? 0 : 1;
}

}  // namespace jobrunner::examples
