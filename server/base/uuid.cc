#include "base/uuid.h"

#include <algorithm>
#include <cctype>

namespace jobrunner::base {
namespace {

constexpr size_t kTextSize = 36;

bool IsHyphenPosition(size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

// Time in units of 2^-12 ms: the 60 bits of the UUID that are time.
uint64_t TicksOf(WallTime time) {
  constexpr int64_t kNanosPerMilli = 1'000'000;
  const int64_t nanos = std::max<int64_t>(0, time.time_since_epoch().count());
  const uint64_t millis = nanos / kNanosPerMilli;
  const uint64_t fraction = (nanos % kNanosPerMilli) * 4096 / kNanosPerMilli;
  return (millis << 12) | fraction;
}

std::string Format(uint64_t high, uint64_t low) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text(kTextSize, '-');
  int nibble = 0;
  for (size_t i = 0; i < kTextSize; ++i) {
    if (IsHyphenPosition(i)) continue;
    const uint64_t word = nibble < 16 ? high : low;
    text[i] = kDigits[(word >> (60 - 4 * (nibble % 16))) & 0xf];
    ++nibble;
  }
  return text;
}

constexpr uint64_t kVariant = uint64_t{0b10} << 62;

std::string FromTicks(uint64_t ticks, Prng& prng) {
  constexpr uint64_t kVersion7 = 0x7000;
  const uint64_t high = ((ticks >> 12) << 16) | kVersion7 | (ticks & 0xfff);
  const uint64_t low = kVariant | (prng.Next() >> 2);
  return Format(high, low);
}

}  // namespace

std::string UuidV7(WallTime time, Prng& prng) { return FromTicks(TicksOf(time), prng); }

std::string UuidSequence::Next(WallTime time, Prng& prng) {
  last_tick_ = std::max(TicksOf(time), last_tick_ + 1);
  return FromTicks(last_tick_, prng);
}

std::string RandomUuid() {
  constexpr uint64_t kVersion4 = 0x4000;
  const uint64_t high = (RandomSeed() & ~uint64_t{0xf000}) | kVersion4;
  const uint64_t low = kVariant | (RandomSeed() >> 2);
  return Format(high, low);
}

bool IsUuid(std::string_view text) {
  if (text.size() != kTextSize) return false;
  for (size_t i = 0; i < kTextSize; ++i) {
    const bool fits = IsHyphenPosition(i) ? text[i] == '-'
                                          : std::isxdigit(static_cast<unsigned char>(text[i])) != 0;
    if (!fits) return false;
  }
  return true;
}

std::optional<WallTime> TimeOfUuidV7(std::string_view text) {
  constexpr size_t kVersionPosition = 14;
  if (!IsUuid(text) || text[kVersionPosition] != '7') return std::nullopt;
  const std::string digits = std::string(text.substr(0, 8)) + std::string(text.substr(9, 4));
  return WallTime(std::chrono::milliseconds(std::stoll(digits, nullptr, 16)));
}

}  // namespace jobrunner::base
