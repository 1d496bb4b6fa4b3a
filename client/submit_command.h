#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "client/batch_options.h"
#include "client/common_options.h"

namespace jobrunner::client {

struct SubmitOptions {
  // "-": standard input.
  std::string file;
  BatchOptions batch;
  // Of one attempt of a job that has none of its own.
  std::optional<absl::Duration> job_timeout;
  std::string request_id;
  bool wait = false;
};

// Submits the batch in a file, shows its id, and with `wait` its results. Returns the exit status.
absl::StatusOr<int> SubmitCommand(const CommonOptions& common, const SubmitOptions& options);

}  // namespace jobrunner::client
