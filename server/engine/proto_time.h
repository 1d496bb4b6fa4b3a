// Between our times and the API's.

#pragma once

#include <chrono>

#include "base/clock.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace jobrunner::engine {

google::protobuf::Timestamp ToTimestamp(base::WallTime time);
google::protobuf::Duration ToDuration(std::chrono::nanoseconds duration);

// Of a duration that was validated to lie within ±kDurationMax.
std::chrono::nanoseconds FromDuration(const google::protobuf::Duration& duration);

// `time` + `duration`, and max() where that is out of range or duration is max().
base::SteadyTime Later(base::SteadyTime time, std::chrono::nanoseconds duration);
base::WallTime Later(base::WallTime time, std::chrono::nanoseconds duration);

}  // namespace jobrunner::engine
