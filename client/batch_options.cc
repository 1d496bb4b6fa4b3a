#include "client/batch_options.h"

#include "absl/strings/str_cat.h"
#include "client/duration_text.h"
#include "client/library/safe_text.h"
#include "client/state_text.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::client {
namespace {

absl::Status AddLabels(const std::vector<std::string>& labels, v1::BatchSpec* batch) {
  for (const std::string& text : labels) {
    const auto label = ParseLabel(text);
    if (!label.ok()) return label.status();
    (*batch->mutable_labels())[label->first] = label->second;
  }
  return absl::OkStatus();
}

absl::Status SetFailurePolicy(const std::string& text, v1::BatchSpec* batch) {
  if (text.empty()) return absl::OkStatus();
  const auto policy = ParseFailurePolicy(text);
  if (!policy.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--failure-policy ", policy.status().message()));
  }
  batch->set_failure_policy(*policy);
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyTo(v1::BatchSpec* batch, const BatchOptions& options) {
  if (!options.name.empty()) batch->set_name(options.name);
  if (!options.queue.empty()) batch->set_queue(options.queue);
  if (options.priority) batch->set_priority(*options.priority);
  if (options.timeout) *batch->mutable_timeout() = ToProto(*options.timeout);
  if (options.max_parallelism) batch->set_max_parallelism(*options.max_parallelism);
  if (options.retention) *batch->mutable_retention() = ToProto(*options.retention);
  const absl::Status status = SetFailurePolicy(options.failure_policy, batch);
  return status.ok() ? AddLabels(options.labels, batch) : status;
}

absl::StatusOr<std::pair<std::string, std::string>> ParseLabel(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("--label ", SafeText(text), ": write it as name=value"));
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

}  // namespace jobrunner::client
