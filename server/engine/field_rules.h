// What single fields of a request must be like.

#pragma once

#include <cstdint>
#include <string_view>

#include "engine/violations.h"
#include "google/protobuf/duration.pb.h"

namespace jobrunner::engine {

// U+0000 to U+001F, U+007F to U+009F; `text` is UTF-8.
bool HasControlCharacter(std::string_view text);

// [a-z0-9]([a-z0-9._/-]*[a-z0-9])?
bool IsLabelKey(std::string_view text);

// [A-Za-z_][A-Za-z0-9_]*
bool IsVariableName(std::string_view text);

void CheckLength(const FieldPath& path, std::string_view text, int64_t bytes_max,
                 Violations* violations);

// At most bytes_max, for people: without control characters.
void CheckName(const FieldPath& path, std::string_view text, int64_t bytes_max,
               Violations* violations);

void CheckNoNul(const FieldPath& path, std::string_view text, Violations* violations);

// Above zero, and at most kDurationMax.
void CheckPositive(const FieldPath& path, const google::protobuf::Duration& duration,
                   Violations* violations);
// Zero or more, and at most kDurationMax.
void CheckNotNegative(const FieldPath& path, const google::protobuf::Duration& duration,
                      Violations* violations);

// From `least` to `most`.
void CheckRange(const FieldPath& path, int64_t value, int64_t least, int64_t most,
                Violations* violations);

}  // namespace jobrunner::engine
