#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/prng.h"

namespace jobrunner::base {

// A UUIDv7 (RFC 9562, section 5.7) in its text form of 36 characters, lower case. Texts sort by
// time: 48 bits are milliseconds of `time`, the next 12 its fraction of a millisecond (section 6.2,
// method 3), the other 62 random.
std::string UuidV7(WallTime time, Prng& prng);

// UUIDv7s of which each sorts after the one before, also within a tick of the clock and when the
// clock goes back. To be used by one thread at a time.
class UuidSequence {
 public:
  std::string Next(WallTime time, Prng& prng);

 private:
  uint64_t last_tick_ = 0;
};

// A UUIDv4 (RFC 9562, section 5.4): 122 bits from the operating system, not to be guessed. Any
// thread.
std::string RandomUuid();

// Whether `text` is a UUID of any version: 8-4-4-4-12 hexadecimal digits, of either case.
bool IsUuid(std::string_view text);

// The time in a UUIDv7, to the millisecond; nullopt of any other text.
std::optional<WallTime> TimeOfUuidV7(std::string_view text);

}  // namespace jobrunner::base
