#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/common_options.h"

namespace jobrunner::client {

struct ErrorsOptions {
  // Empty: all.
  std::string queue;
  // Each "name=value".
  std::vector<std::string> labels;
};

// Shows failed attempts and failed jobs of all batches from now on, until it is interrupted. When
// the stream breaks it is opened again, with a remark that something may have been missed.
absl::StatusOr<int> ErrorsCommand(const CommonOptions& common, const ErrorsOptions& options);

}  // namespace jobrunner::client
