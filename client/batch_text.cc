#include "client/batch_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/command_template.h"
#include "client/duration_text.h"
#include "client/event_text.h"
#include "client/library/safe_text.h"
#include "client/state_text.h"
#include "client/text_table.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::client {
namespace {

using Rows = std::vector<std::vector<std::string>>;

void AddText(const char* name, const std::string& text, Rows* rows) {
  if (!text.empty()) rows->push_back({name, SafeText(text)});
}

void AddTime(const char* name, bool set, const google::protobuf::Timestamp& time, Rows* rows) {
  if (set) rows->push_back({name, TimeText(FromProto(time))});
}

std::string CountsText(const v1::JobCounts& counts) {
  return absl::StrCat(counts.total(), ": ", counts.queued(), " queued, ", counts.running(),
                      " running, ", counts.retrying(), " retrying, ", counts.succeeded(),
                      " succeeded, ", counts.failed(), " failed, ", counts.cancelled(),
                      " cancelled");
}

std::string StateText(const v1::Batch& batch) {
  const bool ending = batch.cancel_requested() && batch.state() == v1::BATCH_STATE_RUNNING;
  return absl::StrCat(StateName(batch.state()), ending ? ", being cancelled" : "");
}

// What a job that has not succeeded waits for or ended with.
std::string Why(const v1::JobStatus& job) {
  if (job.has_wait()) return absl::StrCat("waits for ", WaitText(job.wait()));
  if (job.has_result() && job.result().has_error()) return ErrorText(job.result().error());
  return "";
}

// Whether it waits for its turn, and so has a place.
bool HasPlace(const v1::Wait& wait) {
  return wait.reason() != v1::WAIT_REASON_DELAY && wait.reason() != v1::WAIT_REASON_BACKOFF;
}

void AddWait(const v1::Wait& wait, Rows* rows) {
  rows->push_back({"waits for", WaitName(wait.reason())});
  AddTime("since", wait.has_since_time(), wait.since_time(), rows);
  const bool backoff = wait.reason() == v1::WAIT_REASON_BACKOFF;
  AddTime(backoff ? "next retry" : "until", wait.has_until_time(), wait.until_time(), rows);
  if (HasPlace(wait)) rows->push_back({"before it", absl::StrCat("about ", wait.place(), " jobs")});
}

std::string WorkText(const v1::Job& job) {
  if (job.has_handler()) return absl::StrCat("handler ", job.handler().name());
  return CommandText({job.command().argv().begin(), job.command().argv().end()});
}

}  // namespace

std::string LabelsText(const google::protobuf::Map<std::string, std::string>& labels) {
  return absl::StrJoin(labels, ", ", [](std::string* out, const auto& label) {
    absl::StrAppend(out, label.first, "=", label.second);
  });
}

std::string BatchDetails(const v1::Batch& batch) {
  Rows rows;
  AddText("batch", batch.id(), &rows);
  AddText("name", batch.name(), &rows);
  AddText("queue", batch.queue(), &rows);
  if (batch.priority() != 0) rows.push_back({"priority", absl::StrCat(batch.priority())});
  AddText("labels", LabelsText(batch.labels()), &rows);
  AddText("parent", batch.parent_id(), &rows);
  rows.push_back({"state", StateText(batch)});
  rows.push_back({"jobs", CountsText(batch.counts())});
  AddTime("created", batch.has_create_time(), batch.create_time(), &rows);
  AddTime("finished", batch.has_finish_time(), batch.finish_time(), &rows);
  AddTime("deadline", batch.has_deadline(), batch.deadline(), &rows);
  if (batch.has_error()) rows.push_back({"ended by", ErrorText(batch.error())});
  rows.push_back({"events", absl::StrCat(batch.last_sequence())});
  return TextTable(rows);
}

std::vector<std::string> BatchRowHeadings() {
  return {"BATCH", "STATE", "QUEUE", "JOBS", "DONE", "FAILED", "CREATED", "NAME"};
}

std::vector<std::string> BatchRow(const v1::Batch& batch) {
  const v1::JobCounts& counts = batch.counts();
  return {SafeText(batch.id()),
          StateName(batch.state()),
          SafeText(batch.queue()),
          absl::StrCat(counts.total()),
          absl::StrCat(counts.succeeded() + counts.failed() + counts.cancelled()),
          absl::StrCat(counts.failed()),
          TimeText(FromProto(batch.create_time())),
          SafeText(batch.name())};
}

std::vector<std::string> JobRowHeadings() { return {"JOB", "KEY", "STATE", "ATTEMPTS", "WHY"}; }

std::vector<std::string> JobRow(const v1::JobStatus& job) {
  return {absl::StrCat(job.index()), SafeText(job.key()), StateName(job.state()),
          absl::StrCat(job.attempts()), Why(job)};
}

std::string JobDetails(const v1::JobStatus& job) {
  Rows rows;
  rows.push_back({"job", absl::StrCat(job.index())});
  AddText("key", job.key(), &rows);
  AddText("batch", job.batch_id(), &rows);
  if (job.has_job()) AddText("runs", WorkText(job.job()), &rows);
  rows.push_back({"state", StateName(job.state())});
  rows.push_back({"attempts", absl::StrCat(job.attempts())});
  if (job.lost_attempts() > 0) rows.push_back({"lost", absl::StrCat(job.lost_attempts())});
  if (job.has_wait()) AddWait(job.wait(), &rows);
  if (job.has_result()) rows.push_back({"result", ResultText(job.result())});
  if (job.has_result()) AddText("worker", job.result().worker(), &rows);
  return TextTable(rows);
}

std::string WaitText(const v1::Wait& wait) {
  std::string text = WaitName(wait.reason());
  if (wait.has_until_time()) {
    absl::StrAppend(&text, ", until ", TimeText(FromProto(wait.until_time())));
  }
  if (wait.place() > 0) absl::StrAppend(&text, ", about ", wait.place(), " jobs before it");
  return text;
}

}  // namespace jobrunner::client
