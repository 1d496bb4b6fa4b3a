#include "client/halt_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jobrunner::client {
namespace {

HaltPolicy Parsed(const std::string& text) { return HaltPolicy::Parse(text).value(); }

TEST(HaltPolicy, NeverIsNeverReached) {
  EXPECT_FALSE(Parsed("never").Reached({100, 100, 100}));
  EXPECT_FALSE(Parsed("0").Reached({100, 100, 100}));
}

TEST(HaltPolicy, CountsWhatItSays) {
  EXPECT_FALSE(Parsed("now,fail=2").Reached({9, 1, 9}));
  EXPECT_TRUE(Parsed("now,fail=2").Reached({0, 2, 0}));
  EXPECT_FALSE(Parsed("soon,success=3").Reached({2, 9, 9}));
  EXPECT_TRUE(Parsed("soon,success=3").Reached({3, 0, 0}));
  EXPECT_FALSE(Parsed("now,done=4").Reached({1, 1, 1}));
  EXPECT_TRUE(Parsed("now,done=4").Reached({2, 1, 1}));
}

TEST(HaltPolicy, TellsNowFromSoon) {
  EXPECT_EQ(Parsed("now,fail=1").when(), HaltPolicy::When::kNow);
  EXPECT_EQ(Parsed("soon,fail=1").when(), HaltPolicy::When::kSoon);
  EXPECT_EQ(Parsed("1").when(), HaltPolicy::When::kSoon);
  EXPECT_EQ(Parsed("2").when(), HaltPolicy::When::kNow);
}

TEST(HaltPolicy, KnowsTheFirstFailure) {
  EXPECT_TRUE(Parsed("soon,fail=1").on_first_failure());
  EXPECT_FALSE(Parsed("soon,fail=2").on_first_failure());
  EXPECT_FALSE(Parsed("soon,success=1").on_first_failure());
}

TEST(HaltPolicy, WhatItDoesNotUnderstandItRefusesWithTheReason) {
  for (const char* text : {"", "now", "later,fail=1", "now,fail", "now,fail=0", "now,fail=x",
                           "now,lost=1", "soon,fail=-1", "3"}) {
    const auto policy = HaltPolicy::Parse(text);
    ASSERT_EQ(policy.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(policy.status().message(), testing::HasSubstr("--halt")) << text;
  }
  EXPECT_THAT(HaltPolicy::Parse("now,fail=10%").status().message(),
              testing::HasSubstr("percentages"));
}

}  // namespace
}  // namespace jobrunner::client
