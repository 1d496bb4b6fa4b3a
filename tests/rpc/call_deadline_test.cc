#include "rpc/call_deadline.h"

#include <gtest/gtest.h>

namespace jobrunner::rpc {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

const base::Now kNow{base::SteadyTime(hours(5)), base::WallTime(hours(24 * 365 * 50))};

CallDeadline In(std::chrono::nanoseconds left) {
  return CallDeadline(std::chrono::time_point_cast<system_clock::duration>(kNow.wall + left), kNow);
}

TEST(CallDeadline, IsAMomentOfTheSteadyClock) {
  EXPECT_EQ(In(seconds(10)).time(), kNow.steady + seconds(10));
}

TEST(CallDeadline, ThatHasPassedIsNow) { EXPECT_EQ(In(-seconds(10)).time(), kNow.steady); }

TEST(CallDeadline, IsNotThereWithoutOne) {
  const CallDeadline none(system_clock::time_point::max(), kNow);
  EXPECT_EQ(none.time(), std::nullopt);
  EXPECT_FALSE(none.HasPassed(kNow.steady + hours(1)));
}

TEST(CallDeadline, BeyondEverythingIsAsGoodAsNone) {
  EXPECT_EQ(In(hours(24 * 3654)).time(), std::nullopt);
  EXPECT_NE(In(hours(24 * 3652)).time(), std::nullopt);
}

TEST(CallDeadline, EndsACallAlsoWhereTheClientsClockIsAhead) {
  const CallDeadline deadline = In(seconds(100));
  EXPECT_FALSE(deadline.HasPassed(kNow.steady + seconds(98)));
  // What the client sent was rounded up by a hundredth.
  EXPECT_TRUE(deadline.HasPassed(kNow.steady + milliseconds(99'000)));
  EXPECT_TRUE(deadline.HasPassed(kNow.steady + seconds(101)));
}

}  // namespace
}  // namespace jobrunner::rpc
