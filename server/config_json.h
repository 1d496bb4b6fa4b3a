// The configuration's JSON, held against its schema.

#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "jobrunner/config/v1/config.pb.h"

namespace jobrunner::server {

// Parses JSON strictly: double quotes, no trailing comma, no value of another kind than the
// field's, no name twice. INVALID_ARGUMENT names the field and says why ("queues[1].max_runing: no
// such field"), or the line where the text is not JSON. Nesting is bounded by the schema's own
// depth.
absl::StatusOr<config::v1::Config> ParseConfigJson(std::string_view json);

}  // namespace jobrunner::server
