#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace jobrunner::v1 {
class BatchSpec;
}

namespace jobrunner::client {

// What the command line says of a batch; what it leaves out stays as the batch has it.
struct BatchOptions {
  std::string name;
  std::string queue;
  // Each "name=value".
  std::vector<std::string> labels;
  std::optional<int32_t> priority;
  std::optional<absl::Duration> timeout;
  std::optional<int32_t> max_parallelism;
  // As ParseFailurePolicy reads it.
  std::string failure_policy;
  std::optional<absl::Duration> retention;
};

// INVALID_ARGUMENT for a label without "=" or an unknown policy; the rest is for the server to
// judge.
absl::Status ApplyTo(v1::BatchSpec* batch, const BatchOptions& options);

// The "name=value" of `text`; INVALID_ARGUMENT when there is no "=".
absl::StatusOr<std::pair<std::string, std::string>> ParseLabel(const std::string& text);

}  // namespace jobrunner::client
