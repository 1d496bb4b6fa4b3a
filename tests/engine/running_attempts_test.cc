#include "engine/running_attempts.h"

#include "gtest/gtest.h"

namespace jobrunner::engine {
namespace {

TEST(RunningAttemptsTest, AnAttemptIsFoundByItsTokenAlone) {
  RunningAttempts running(3);
  AttemptToken token;
  running.Add(&token).index = 7;
  EXPECT_EQ(token.epoch, 3U);
  ASSERT_NE(running.Find(token), nullptr);
  EXPECT_EQ(running.Find(token)->index, 7);
  AttemptToken other = token;
  other.epoch = 2;
  EXPECT_EQ(running.Find(other), nullptr);
  other = token;
  ++other.number;
  EXPECT_EQ(running.Find(other), nullptr);
  other = token;
  other.slot = 1000;
  EXPECT_EQ(running.Find(other), nullptr);
}

TEST(RunningAttemptsTest, ASlotIsUsedAgainWithANewNumber) {
  RunningAttempts running(1);
  AttemptToken first;
  running.Add(&first);
  running.Remove(first.slot);
  EXPECT_TRUE(running.empty());
  EXPECT_EQ(running.Find(first), nullptr);
  AttemptToken second;
  running.Add(&second);
  EXPECT_EQ(second.slot, first.slot);
  EXPECT_NE(second.number, first.number);
  EXPECT_EQ(running.Find(first), nullptr);
  EXPECT_EQ(running.size(), 1);
}

TEST(RunningAttemptsTest, ANumberOfZeroNamesNothing) {
  RunningAttempts running(1);
  AttemptToken token;
  running.Add(&token);
  running.Remove(token.slot);
  EXPECT_EQ(running.Find({1, token.slot, 0}), nullptr);
}

TEST(RunningAttemptsTest, ATimeoutOrAPutBackDoesNotEndTheJob) {
  StopCause cause;
  cause.error.set_reason(v1::REASON_CLIENT_CANCEL);
  EXPECT_TRUE(cause.ends_job());
  cause.put_back = true;
  EXPECT_FALSE(cause.ends_job());
  cause.put_back = false;
  cause.error.set_reason(v1::REASON_ATTEMPT_TIMEOUT);
  EXPECT_FALSE(cause.ends_job());
}

}  // namespace
}  // namespace jobrunner::engine
