#include "base/clock.h"

#include <gtest/gtest.h>

#include "support/fake_clock.h"

namespace jobrunner::base {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(RealClock, SteadyTimeNeverGoesBack) {
  RealClock clock;
  SteadyTime last = clock.Read().steady;
  for (int i = 0; i < 1000; ++i) {
    const SteadyTime next = clock.Read().steady;
    ASSERT_GE(next, last);
    last = next;
  }
}

TEST(RealClock, WallTimeIsThatOfTheSystemClock) {
  const WallTime before = std::chrono::system_clock::now();
  const WallTime read = RealClock().Read().wall;
  EXPECT_GE(read, before);
  EXPECT_LE(read, std::chrono::system_clock::now());
}

TEST(FakeClock, AdvanceMovesBothClocks) {
  test::FakeClock clock;
  const Now start = clock.Read();
  clock.Advance(seconds(3));
  EXPECT_EQ(clock.Read().steady - start.steady, seconds(3));
  EXPECT_EQ(clock.Read().wall - start.wall, seconds(3));
}

TEST(FakeClock, AJumpOfTheWallClockLeavesTheSteadyClock) {
  test::FakeClock clock;
  const Now start = clock.Read();
  clock.JumpWall(-hours(2));
  EXPECT_EQ(clock.Read().steady, start.steady);
  EXPECT_EQ(clock.Read().wall - start.wall, -hours(2));
}

}  // namespace
}  // namespace jobrunner::base
