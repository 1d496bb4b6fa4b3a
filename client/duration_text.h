#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace google::protobuf {
class Duration;
class Timestamp;
}  // namespace google::protobuf

namespace jobrunner::client {

// Durations as people write them: a plain number is seconds; units are ms, s, m, h, d and can be
// combined ("1h30m"). Refused: nothing, negative, infinite, "50%".
absl::StatusOr<absl::Duration> ParseDuration(const std::string& text);

// "234 ms", "1.50 s", "3 min 20 s", "2 h 5 min".
std::string DurationText(absl::Duration duration);

// Local time, as "2024-05-01 13:37:00".
std::string TimeText(absl::Time time);

// The same values in the types of the API.
google::protobuf::Duration ToProto(absl::Duration duration);
absl::Duration FromProto(const google::protobuf::Duration& duration);
absl::Time FromProto(const google::protobuf::Timestamp& timestamp);

}  // namespace jobrunner::client
