#include "rpc/message_pace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace jobrunner::rpc {
namespace {

using base::SteadyTime;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using ::testing::ElementsAre;

class MessagePaceTest : public ::testing::Test {
 protected:
  // Of messages that go as soon as they may.
  std::vector<int64_t> WaitsInMs(int messages, int64_t events) {
    std::vector<int64_t> waits;
    for (int i = 0; i < messages; ++i) {
      pace_.Sent(events, now_);
      waits.push_back((pace_.next() - now_) / milliseconds(1));
      now_ = pace_.next();
    }
    return waits;
  }

  SteadyTime now_ = SteadyTime() + std::chrono::hours(1);
  MessagePace pace_;
};

TEST_F(MessagePaceTest, TheFirstMessageGoesAtOnce) { EXPECT_EQ(pace_.next(), SteadyTime::min()); }

TEST_F(MessagePaceTest, WhatComesAfterAMessageWithoutEventsGoesAtOnce) {
  pace_.Sent(0, now_);
  EXPECT_EQ(pace_.next(), SteadyTime::min());
}

TEST_F(MessagePaceTest, WhatTricklesOnWaitsLongerAndLongerUpToABound) {
  EXPECT_THAT(WaitsInMs(7, 1), ElementsAre(1, 2, 4, 8, 16, 16, 16));
}

TEST_F(MessagePaceTest, AfterAPauseItGoesAtOnceAndBeginsAnew) {
  WaitsInMs(7, 1);
  now_ += MessagePace::kGatherTimeMax;
  EXPECT_LE(pace_.next(), now_);
  EXPECT_THAT(WaitsInMs(3, 1), ElementsAre(1, 2, 4));
}

TEST_F(MessagePaceTest, ALittleLateIsNotAPause) {
  WaitsInMs(3, 1);
  now_ += milliseconds(4) - microseconds(1);
  EXPECT_THAT(WaitsInMs(1, 1), ElementsAre(8));
}

TEST_F(MessagePaceTest, WhatGoesBeforeItsTimeMakesNothingWaitLonger) {
  WaitsInMs(3, 1);
  for (int i = 0; i < 5; ++i) {
    now_ -= microseconds(100);
    pace_.Sent(1, now_);
    EXPECT_EQ(pace_.next() - now_, milliseconds(4));
  }
}

TEST_F(MessagePaceTest, BulkGoesAtOnceAndIsNoPause) {
  WaitsInMs(3, 1);
  EXPECT_THAT(WaitsInMs(3, MessagePace::kFewEvents), ElementsAre(0, 0, 0));
  EXPECT_THAT(WaitsInMs(2, MessagePace::kFewEvents - 1), ElementsAre(8, 16));
}

}  // namespace
}  // namespace jobrunner::rpc
