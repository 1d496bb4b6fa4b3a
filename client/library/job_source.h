#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace jobrunner::v1 {
class Job;
}

namespace jobrunner {

// Gives the jobs of a batch one after the other, as often as a call has to be tried, so that they
// need not be in memory together. For one thread.
class JobSource {
 public:
  virtual ~JobSource() = default;

  // Replaces *job by the next one; false at the end.
  virtual absl::StatusOr<bool> Next(v1::Job* job) = 0;
  // The next one is the first again.
  virtual absl::Status Rewind() = 0;
};

}  // namespace jobrunner
