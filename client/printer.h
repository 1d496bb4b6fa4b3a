#pragma once

#include <string>

#include "absl/status/status.h"

namespace google::protobuf {
class Message;
}
namespace jobrunner::v1 {
class Batch;
class BatchEvent;
class Event;
}  // namespace jobrunner::v1

namespace jobrunner::client {

class OutputStream;

enum class OutputFormat { kText, kJson };

// `message` as one line of JSON, in Protobuf's own mapping, fields with default values included.
std::string JsonLine(const google::protobuf::Message& message);

// The same without defaults and newline, for programs that read it back.
std::string CompactJson(const google::protobuf::Message& message);

// Shows what commands have to say on standard output: for people, or as JSON lines. With text, what
// jobs wrote goes to standard output and error as it is, and what is said about them to standard
// error. Not thread-safe. Errors: those of OutputStream::Flush.
class Printer {
 public:
  // The streams outlive the printer.
  Printer(OutputFormat format, OutputStream* out, OutputStream* notes);

  // One answer: `text` is what people get for it.
  void Answer(const google::protobuf::Message& message, const std::string& text);

  // A batch that was accepted: its id. Where its results follow, that is a remark: standard output
  // is then for what the jobs write.
  void Accepted(const v1::Batch& batch, bool results_follow);

  // One entry of a batch's log, with what the job wrote.
  void Event(const v1::Event& event);

  // One entry of the error channel.
  void BatchEvent(const v1::BatchEvent& event);

  // A remark that is no part of the answer, to standard error.
  void Note(const std::string& text);

  absl::Status Flush();

  OutputFormat format() const { return format_; }

 private:
  void Written(const std::string& output, const std::string& error_output);

  const OutputFormat format_;
  OutputStream* const out_;
  OutputStream* const notes_;
};

}  // namespace jobrunner::client
