#include "engine/proto_time.h"

#include "gtest/gtest.h"

namespace jobrunner::engine {
namespace {

using std::chrono::nanoseconds;
using std::chrono_literals::operator""ns;
using std::chrono_literals::operator""s;

TEST(ProtoTimeTest, ATimestampHasSecondsAndNanosecondsThatCountForward) {
  EXPECT_EQ(ToTimestamp(base::WallTime(1s + 5ns)).seconds(), 1);
  EXPECT_EQ(ToTimestamp(base::WallTime(1s + 5ns)).nanos(), 5);
  EXPECT_EQ(ToTimestamp(base::WallTime(-1ns)).seconds(), -1);
  EXPECT_EQ(ToTimestamp(base::WallTime(-1ns)).nanos(), 999'999'999);
}

TEST(ProtoTimeTest, ADurationComesBackAsItWent) {
  for (const nanoseconds duration : {0ns, 1ns, nanoseconds(3s) + 7ns, nanoseconds(-3s) - 7ns}) {
    EXPECT_EQ(FromDuration(ToDuration(duration)), duration);
  }
}

TEST(ProtoTimeTest, WhatLiesBeyondTimeIsItsEnd) {
  const base::SteadyTime now(5s);
  EXPECT_EQ(Later(now, 3s), base::SteadyTime(8s));
  EXPECT_EQ(Later(now, nanoseconds::max()), base::SteadyTime::max());
  EXPECT_EQ(Later(base::SteadyTime::max(), 1ns), base::SteadyTime::max());
  EXPECT_EQ(Later(now, -3s), base::SteadyTime(2s));
  // What was long before the clock's zero.
  EXPECT_EQ(Later(base::SteadyTime(-10s), 3s), base::SteadyTime(-7s));
  EXPECT_EQ(Later(base::SteadyTime(-10s), nanoseconds::max()), base::SteadyTime::max());
}

}  // namespace
}  // namespace jobrunner::engine
