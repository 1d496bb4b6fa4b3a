// Why a call is refused, for people and for programs.

#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace jobrunner::engine {

// A status that carries the `reason` of its ErrorInfo (UPPER_SNAKE_CASE), such as QUEUE_FULL.
absl::Status Refuse(absl::StatusCode code, std::string_view reason, std::string_view message);

// What look-ups get for a batch that is not (any more) there: NOT_FOUND.
absl::Status NoSuchBatch(std::string_view batch_id);

// The reason of a status made by Refuse; the name of its code for any other.
std::string ReasonOf(const absl::Status& status);

}  // namespace jobrunner::engine
