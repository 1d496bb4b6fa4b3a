#include "client/duration_text.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace jobrunner::client {
namespace {

// A number that may end in "d"; absl knows no days.
bool ParseNumber(absl::string_view text, absl::Duration* duration) {
  absl::Duration unit = absl::Seconds(1);
  if (!text.empty() && text.back() == 'd') {
    text.remove_suffix(1);
    unit = absl::Hours(24);
  }
  double number = 0;
  if (!absl::SimpleAtod(text, &number)) return false;
  *duration = number * unit;
  return true;
}

std::string Pair(int64_t big, const char* big_unit, int64_t small, const char* small_unit) {
  if (small == 0) return absl::StrCat(big, " ", big_unit);
  return absl::StrCat(big, " ", big_unit, " ", small, " ", small_unit);
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(const std::string& text) {
  absl::Duration duration;
  if (!ParseNumber(text, &duration) && !absl::ParseDuration(text, &duration)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not a duration: write seconds, or as 500ms, 1.5s, 2m, 1h"));
  }
  if (duration < absl::ZeroDuration() || duration == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\": a duration is 0 or more"));
  }
  return duration;
}

std::string DurationText(absl::Duration duration) {
  const int64_t seconds = absl::ToInt64Seconds(duration);
  if (duration < absl::Milliseconds(1)) {
    return absl::StrFormat("%.1f ms", absl::ToDoubleMilliseconds(duration));
  }
  if (seconds < 1) return absl::StrCat(absl::ToInt64Milliseconds(duration), " ms");
  if (seconds < 60) return absl::StrFormat("%.2f s", absl::ToDoubleSeconds(duration));
  if (seconds < 3600) return Pair(seconds / 60, "min", seconds % 60, "s");
  return Pair(seconds / 3600, "h", seconds % 3600 / 60, "min");
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, absl::LocalTimeZone());
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
  return proto;
}

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

absl::Time FromProto(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

}  // namespace jobrunner::client
