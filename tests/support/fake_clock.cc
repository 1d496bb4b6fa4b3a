#include "support/fake_clock.h"

namespace jobrunner::test {
namespace {

constexpr std::chrono::hours kSteadyStart{1};
constexpr std::chrono::seconds kWallStart{1767225600};  // 2026-01-01T00:00:00Z

}  // namespace

FakeClock::FakeClock() : now_{base::SteadyTime(kSteadyStart), base::WallTime(kWallStart)} {}

base::Now FakeClock::Read() const {
  absl::MutexLock lock(&mutex_);
  return now_;
}

void FakeClock::Advance(std::chrono::nanoseconds duration) {
  absl::MutexLock lock(&mutex_);
  now_.steady += duration;
  now_.wall += duration;
}

void FakeClock::JumpWall(std::chrono::nanoseconds duration) {
  absl::MutexLock lock(&mutex_);
  now_.wall += duration;
}

}  // namespace jobrunner::test
