#pragma once

#include <string>

#include "absl/status/status.h"

namespace jobrunner::client {

// Writes to a file descriptor, gathered up to 64 KiB. Not thread-safe; blocks while the reader
// does.
class OutputStream {
 public:
  // `fd` is not owned.
  explicit OutputStream(int fd) : fd_(fd) {}
  ~OutputStream() { Flush().IgnoreError(); }

  void Append(const std::string& text);

  // `text`, each of its lines after `prefix`.
  void AppendLines(const std::string& prefix, const std::string& text);

  // Errors: the first failure to write, for ever (ABORTED: the reader has gone). What is appended
  // after it is dropped.
  absl::Status Flush();

  bool is_terminal() const;
  bool ends_in_line() const { return ends_in_line_; }

 private:
  const int fd_;
  std::string pending_;
  bool ends_in_line_ = true;
  absl::Status status_;
};

}  // namespace jobrunner::client
