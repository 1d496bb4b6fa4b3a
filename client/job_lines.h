#pragma once

#include <cstdint>
#include <string>

#include "client/library/job_source.h"

namespace jobrunner::client {

// Reads jobs from a file that has one on each line, in Protobuf's JSON, blank lines aside: a line
// at a time is in memory. Errors name the line.
class JobLines final : public JobSource {
 public:
  // Takes over `fd`, which is at any place of a file, and reads that from its beginning.
  explicit JobLines(int fd) : fd_(fd) {}
  ~JobLines() override;
  JobLines(const JobLines&) = delete;
  JobLines& operator=(const JobLines&) = delete;

  // INVALID_ARGUMENT for a line that is no job, or too long to be one.
  absl::StatusOr<bool> Next(v1::Job* job) override;
  absl::Status Rewind() override;

 private:
  // False at the end of the file. The line has no end of its own.
  absl::StatusOr<bool> ReadLine(std::string* line);
  absl::Status OnLine(const absl::Status& status) const;

  const int fd_;
  // Read, and from `next_` on not given.
  std::string buffer_;
  size_t next_ = 0;
  // Of the file, of what is read next.
  int64_t offset_ = 0;
  int64_t line_number_ = 0;
};

}  // namespace jobrunner::client
