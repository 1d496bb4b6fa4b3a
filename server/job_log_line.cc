#include "server/job_log_line.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/util/time_util.h"

namespace jobrunner::server {
namespace {

using google::protobuf::util::TimeUtil;

std::string DurationText(const google::protobuf::Duration& duration) {
  const double ms = static_cast<double>(TimeUtil::DurationToNanoseconds(duration)) / 1e6;
  if (ms < 10) return absl::StrFormat("%.1f ms", ms);
  if (ms < 1000) return absl::StrFormat("%.0f ms", ms);
  if (ms < 60'000) return absl::StrFormat("%.1f s", ms / 1000);
  const int64_t seconds = std::llround(ms / 1000);
  return absl::StrFormat("%d min %d s", seconds / 60, seconds % 60);
}

// "batch timeout" for REASON_BATCH_TIMEOUT.
std::string ReasonWords(v1::Reason reason) {
  const std::string name = v1::Reason_Name(reason);
  return absl::AsciiStrToLower(absl::StrReplaceAll(name, {{"REASON_", ""}, {"_", " "}}));
}

std::string JobName(const engine::BatchHeader& batch, const v1::Event& event) {
  if (!event.job_key().empty()) return event.job_key();
  return absl::StrCat(batch.id, "/", event.job_index());
}

// "worker 3: Charlie", or the name alone of a job that never ran.
std::string Who(const engine::BatchHeader& batch, const v1::Event& event,
                const std::string& worker) {
  return absl::StrCat(worker, worker.empty() ? "" : ": ", JobName(batch, event));
}

// " (attempt 1 of 2)"; a job's own retry policy is not seen here, so that "of" is left out where
// the batch's does not fit. Nothing for the only attempt there is.
std::string AttemptText(const engine::BatchHeader& batch, int32_t attempt, bool again) {
  const int32_t attempts_max = std::max(
      1, batch.defaults.has_retry_policy() ? batch.defaults.retry_policy().max_attempts() : 1);
  const bool fits = again ? attempt < attempts_max : attempt <= attempts_max;
  if (fits && attempts_max > 1) {
    return absl::StrFormat(" (attempt %d of %d)", attempt, attempts_max);
  }
  return attempt > 1 || again ? absl::StrFormat(" (attempt %d)", attempt) : "";
}

std::string ErrorText(const v1::Error& error) {
  if (error.message().empty()) return ReasonWords(error.reason());
  return absl::StrCat(error.critical() ? "critical: " : "", error.message());
}

std::string AttemptErrorText(const engine::BatchHeader& batch, const v1::Event& event) {
  const v1::AttemptError& attempt = event.attempt_error();
  std::string line = absl::StrCat("✘ ", Who(batch, event, attempt.worker()), " failed",
                                  AttemptText(batch, attempt.attempt(), attempt.will_retry()), ": ",
                                  ErrorText(attempt.error()));
  if (attempt.will_retry()) {
    const google::protobuf::Duration wait = attempt.next_attempt_time() - event.time();
    absl::StrAppend(&line, wait > google::protobuf::Duration()
                               ? absl::StrCat("; again in ", DurationText(wait))
                               : "; again at once");
  }
  return line;
}

std::string CancelledText(const engine::BatchHeader& batch, const v1::Event& event) {
  const v1::JobResult& result = event.result();
  std::string line = absl::StrCat("⊘ ", Who(batch, event, result.worker()), " cancelled (",
                                  ReasonWords(result.error().reason()), ")");
  if (result.has_run_time()) absl::StrAppend(&line, " after ", DurationText(result.run_time()));
  if (!result.error().message().empty()) absl::StrAppend(&line, ": ", result.error().message());
  return line;
}

std::string ResultText(const engine::BatchHeader& batch, const v1::Event& event) {
  const v1::JobResult& result = event.result();
  const std::string who = Who(batch, event, result.worker());
  switch (result.state()) {
    case v1::JOB_STATE_SUCCEEDED:
      return absl::StrCat("✔ ", who, " done in ", DurationText(result.run_time()));
    case v1::JOB_STATE_CANCELLED:
      return CancelledText(batch, event);
    default:
      return absl::StrCat("✘ ", who, " failed", AttemptText(batch, result.attempts(), false), ": ",
                          ErrorText(result.error()));
  }
}

// An object that grows.
class JsonObject {
 public:
  void Text(std::string_view name, std::string_view value) {
    Name(name);
    json_ += '"';
    for (char c : value) AppendEscaped(c);
    json_ += '"';
  }
  void TextUnlessEmpty(std::string_view name, std::string_view value) {
    if (!value.empty()) Text(name, value);
  }
  void Number(std::string_view name, int64_t value) {
    Name(name);
    absl::StrAppend(&json_, value);
  }
  void NumberUnless0(std::string_view name, int64_t value) {
    if (value != 0) Number(name, value);
  }
  void True(std::string_view name) {
    Name(name);
    json_ += "true";
  }
  void Milliseconds(std::string_view name, const google::protobuf::Duration& duration) {
    Name(name);
    absl::StrAppendFormat(&json_, "%.3f",
                          static_cast<double>(TimeUtil::DurationToNanoseconds(duration)) / 1e6);
  }
  std::string Take() && { return std::move(json_) + "}"; }

 private:
  void Name(std::string_view name) {
    if (json_.size() > 1) json_ += ',';
    ((json_ += '"') += name) += "\":";
  }

  void AppendEscaped(char c) {
    if (c == '"' || c == '\\') {
      (json_ += '\\') += c;
    } else if (absl::ascii_iscntrl(c)) {
      absl::StrAppendFormat(&json_, "\\u%04x", static_cast<unsigned char>(c));
    } else {
      json_ += c;
    }
  }

  std::string json_ = "{";
};

void AddJob(const engine::BatchHeader& batch, const v1::Event& event, JsonObject* line) {
  line->Text("time", TimeUtil::ToString(event.time()));
  line->Text("batch_id", batch.id);
  line->TextUnlessEmpty("batch_name", batch.spec.name());
  line->Text("queue", batch.spec.queue());
  line->Number("job_index", event.job_index());
  line->TextUnlessEmpty("job_key", event.job_key());
}

void AddError(const v1::Error& error, JsonObject* line) {
  line->Text("reason", v1::Reason_Name(error.reason()));
  line->Number("code", error.code());
  line->Text("message", error.message());
  if (error.critical()) line->True("critical");
}

void AddAttemptError(const v1::AttemptError& attempt, JsonObject* line) {
  line->Text("event", "attempt_error");
  line->Number("attempt", attempt.attempt());
  line->TextUnlessEmpty("worker", attempt.worker());
  AddError(attempt.error(), line);
  line->NumberUnless0("exit_code", attempt.exit_code());
  line->NumberUnless0("signal", attempt.signal());
  line->Milliseconds("run_time_ms", attempt.run_time());
  if (!attempt.will_retry()) return;
  line->True("will_retry");
  line->Text("next_attempt_time", TimeUtil::ToString(attempt.next_attempt_time()));
}

void AddResult(const v1::JobResult& result, JsonObject* line) {
  line->Text("event", "result");
  line->Text("state", v1::JobState_Name(result.state()));
  line->Number("attempts", result.attempts());
  line->TextUnlessEmpty("worker", result.worker());
  if (result.has_error()) AddError(result.error(), line);
  line->NumberUnless0("exit_code", result.exit_code());
  line->NumberUnless0("signal", result.signal());
  if (result.has_run_time()) line->Milliseconds("run_time_ms", result.run_time());
}

}  // namespace

std::string JobLogText(const engine::BatchHeader& batch, const v1::Event& event) {
  if (event.has_attempt_error()) return AttemptErrorText(batch, event);
  if (event.has_result()) return ResultText(batch, event);
  return "";
}

std::string JobLogJson(const engine::BatchHeader& batch, const v1::Event& event) {
  if (!event.has_attempt_error() && !event.has_result()) return "";
  JsonObject line;
  AddJob(batch, event, &line);
  if (event.has_attempt_error()) {
    AddAttemptError(event.attempt_error(), &line);
  } else {
    AddResult(event.result(), &line);
  }
  return std::move(line).Take();
}

}  // namespace jobrunner::server
