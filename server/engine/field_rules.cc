#include "engine/field_rules.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/limits.h"

namespace jobrunner::engine {
namespace {

constexpr int32_t kNanosecondsMax = 999'999'999;
constexpr int64_t kDurationSecondsMax = std::chrono::seconds(kDurationMax).count();

bool IsLowerOrDigit(char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); }

bool IsWithinLabelKey(char c) {
  return IsLowerOrDigit(c) || c == '.' || c == '_' || c == '/' || c == '-';
}

bool IsWithinVariableName(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// As google/protobuf/duration.proto says: the two parts agree in sign.
bool IsDuration(const google::protobuf::Duration& duration) {
  if (duration.nanos() > kNanosecondsMax || duration.nanos() < -kNanosecondsMax) return false;
  return !(duration.seconds() > 0 && duration.nanos() < 0) &&
         !(duration.seconds() < 0 && duration.nanos() > 0);
}

bool IsLongerThanMax(const google::protobuf::Duration& duration) {
  return duration.seconds() > kDurationSecondsMax ||
         (duration.seconds() == kDurationSecondsMax && duration.nanos() > 0);
}

// Whether something was wrong already.
bool CheckDuration(const FieldPath& path, const google::protobuf::Duration& duration,
                   Violations* violations) {
  if (!IsDuration(duration)) {
    violations->Add(path,
                    "is not a duration: seconds and nanos differ in sign, or nanos has more "
                    "than nine digits");
  } else if (IsLongerThanMax(duration)) {
    violations->Add(path, "must be at most ten years");
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool HasControlCharacter(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return true;
    // U+0080 to U+009F are C2 80 to C2 9F.
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<uint8_t>(text[i + 1]) < 0xA0)
      return true;
  }
  return false;
}

bool IsLabelKey(std::string_view text) {
  return !text.empty() && IsLowerOrDigit(text.front()) && IsLowerOrDigit(text.back()) &&
         std::all_of(text.begin(), text.end(), IsWithinLabelKey);
}

bool IsVariableName(std::string_view text) {
  return !text.empty() && !absl::ascii_isdigit(text.front()) &&
         std::all_of(text.begin(), text.end(), IsWithinVariableName);
}

void CheckLength(const FieldPath& path, std::string_view text, int64_t bytes_max,
                 Violations* violations) {
  if (static_cast<int64_t>(text.size()) <= bytes_max) return;
  violations->Add(path,
                  absl::StrFormat("has %d bytes, at most %d are allowed", text.size(), bytes_max));
}

void CheckName(const FieldPath& path, std::string_view text, int64_t bytes_max,
               Violations* violations) {
  CheckLength(path, text, bytes_max, violations);
  if (HasControlCharacter(text)) violations->Add(path, "must not have control characters");
}

void CheckNoNul(const FieldPath& path, std::string_view text, Violations* violations) {
  if (text.find('\0') != std::string_view::npos) violations->Add(path, "must not have NUL bytes");
}

void CheckPositive(const FieldPath& path, const google::protobuf::Duration& duration,
                   Violations* violations) {
  if (CheckDuration(path, duration, violations)) return;
  if (duration.seconds() > 0 || duration.nanos() > 0) return;
  violations->Add(path, "must be more than zero");
}

void CheckNotNegative(const FieldPath& path, const google::protobuf::Duration& duration,
                      Violations* violations) {
  if (CheckDuration(path, duration, violations)) return;
  if (duration.seconds() >= 0 && duration.nanos() >= 0) return;
  violations->Add(path, "must not be negative");
}

void CheckRange(const FieldPath& path, int64_t value, int64_t least, int64_t most,
                Violations* violations) {
  if (value >= least && value <= most) return;
  violations->Add(path, absl::StrFormat("is %d, must be %d to %d", value, least, most));
}

}  // namespace jobrunner::engine
