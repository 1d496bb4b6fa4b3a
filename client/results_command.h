#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/common_options.h"

namespace jobrunner::client {

struct ResultsOptions {
  std::string batch_id;
  int64_t after_sequence = 0;
  bool follow = true;
  // As ParseEventKind reads them; empty: all.
  std::vector<std::string> kinds;
};

// Shows the event log of a batch. Returns the exit status: kJobsFailed when a job did not succeed.
absl::StatusOr<int> ResultsCommand(const CommonOptions& common, const ResultsOptions& options);

}  // namespace jobrunner::client
