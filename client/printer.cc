#include "client/printer.h"

#include <google/protobuf/util/json_util.h>

#include "absl/strings/str_cat.h"
#include "client/event_text.h"
#include "client/library/safe_text.h"
#include "client/output_stream.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {

namespace {

std::string Json(const google::protobuf::Message& message, bool defaults) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = defaults;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  // Only a duration or timestamp out of its range cannot be printed.
  if (!status.ok()) return absl::StrCat("{\"unprintable\": \"", status.ToString(), "\"}");
  return json;
}

}  // namespace

std::string JsonLine(const google::protobuf::Message& message) {
  return absl::StrCat(Json(message, true), "\n");
}

std::string CompactJson(const google::protobuf::Message& message) { return Json(message, false); }

Printer::Printer(OutputFormat format, OutputStream* out, OutputStream* notes)
    : format_(format), out_(out), notes_(notes) {}

void Printer::Answer(const google::protobuf::Message& message, const std::string& text) {
  out_->Append(format_ == OutputFormat::kJson ? JsonLine(message) : text);
}

void Printer::Accepted(const v1::Batch& batch, bool results_follow) {
  if (results_follow && format_ == OutputFormat::kText) {
    return Note(absl::StrCat("batch ", SafeText(batch.id())));
  }
  Answer(batch, absl::StrCat(SafeText(batch.id()), "\n"));
}

void Printer::Event(const v1::Event& event) {
  if (format_ == OutputFormat::kJson) return out_->Append(JsonLine(event));
  if (event.has_output()) Written(event.output().output(), event.output().error_output());
  if (event.has_result()) Written(event.result().output(), event.result().error_output());
  const std::string line = EventLine(event);
  if (!line.empty()) Note(line);
}

void Printer::BatchEvent(const v1::BatchEvent& event) {
  Answer(event, absl::StrCat(BatchEventLine(event), "\n"));
}

void Printer::Note(const std::string& text) {
  // In the order in which they were said, also where both are the same terminal.
  out_->Flush().IgnoreError();
  if (out_->is_terminal() && !out_->ends_in_line()) notes_->Append("\n");
  notes_->Append(absl::StrCat(text, "\n"));
  notes_->Flush().IgnoreError();
}

absl::Status Printer::Flush() {
  notes_->Flush().IgnoreError();
  return out_->Flush();
}

void Printer::Written(const std::string& output, const std::string& error_output) {
  out_->Append(output);
  if (error_output.empty()) return;
  out_->Flush().IgnoreError();
  notes_->Append(error_output);
  notes_->Flush().IgnoreError();
}

}  // namespace jobrunner::client
