#include "engine/retry_policy.h"

#include "engine/proto_time.h"
#include "google/rpc/code.pb.h"
#include "gtest/gtest.h"

namespace jobrunner::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

v1::RetryPolicy Attempts(int32_t most) {
  v1::RetryPolicy policy;
  policy.set_max_attempts(most);
  return policy;
}

Failure ExitFailure() {
  Failure failure;
  failure.reason = v1::REASON_EXIT_CODE;
  return failure;
}

TEST(MayRetry, NoPolicyIsOneAttempt) { EXPECT_FALSE(MayRetry(nullptr, 1, Failure(), 0)); }

TEST(MayRetry, StopsAtMaxAttempts) {
  const v1::RetryPolicy policy = Attempts(3);
  EXPECT_TRUE(MayRetry(&policy, 1, Failure(), 0));
  EXPECT_TRUE(MayRetry(&policy, 2, Failure(), 0));
  EXPECT_FALSE(MayRetry(&policy, 3, Failure(), 0));
}

TEST(MayRetry, CriticalAndFinalFailuresAreNotRetriedByAPolicyWithoutLists) {
  const v1::RetryPolicy policy = Attempts(3);
  Failure critical;
  critical.critical = true;
  Failure final;
  final.final = true;
  EXPECT_FALSE(MayRetry(&policy, 1, critical, 0));
  EXPECT_FALSE(MayRetry(&policy, 1, final, 0));
}

TEST(MayRetry, WithAListOnlyWhatItNamesIsRetried) {
  v1::RetryPolicy policy = Attempts(3);
  policy.add_retryable_codes(google::rpc::UNAVAILABLE);
  Failure unavailable;
  unavailable.code = google::rpc::UNAVAILABLE;
  EXPECT_TRUE(MayRetry(&policy, 1, unavailable, 0));
  EXPECT_FALSE(MayRetry(&policy, 1, Failure(), 0));
  EXPECT_FALSE(MayRetry(&policy, 1, ExitFailure(), 75));
}

TEST(MayRetry, ExitCodesAreNamedByTheirOwnList) {
  v1::RetryPolicy policy = Attempts(3);
  policy.add_retryable_exit_codes(75);
  EXPECT_TRUE(MayRetry(&policy, 1, ExitFailure(), 75));
  EXPECT_FALSE(MayRetry(&policy, 1, ExitFailure(), 1));
  // A handler's failure has no exit code.
  EXPECT_FALSE(MayRetry(&policy, 1, Failure(), 75));
}

class BackoffTest : public testing::Test {
 protected:
  nanoseconds Wait(int32_t counted) { return Backoff(policy_, counted, prng_); }

  v1::RetryPolicy policy_ = Attempts(100);
  base::Prng prng_{1};
};

TEST_F(BackoffTest, DoublesFromASecondToFiveMinutesUnlessSet) {
  policy_.set_jitter(0);
  EXPECT_EQ(Wait(1), seconds(1));
  EXPECT_EQ(Wait(2), seconds(2));
  EXPECT_EQ(Wait(9), seconds(256));
  EXPECT_EQ(Wait(10), minutes(5));
  EXPECT_EQ(Wait(99), minutes(5));
}

TEST_F(BackoffTest, IsAsThePolicySays) {
  policy_.set_jitter(0);
  policy_.set_backoff_multiplier(3);
  *policy_.mutable_initial_backoff() = ToDuration(milliseconds(10));
  *policy_.mutable_max_backoff() = ToDuration(milliseconds(50));
  EXPECT_EQ(Wait(1), milliseconds(10));
  EXPECT_EQ(Wait(2), milliseconds(30));
  EXPECT_EQ(Wait(3), milliseconds(50));
}

TEST_F(BackoffTest, StaysFiniteWhereThePowerDoesNot) {
  policy_.set_jitter(0);
  policy_.set_backoff_multiplier(100);
  EXPECT_EQ(Wait(1000), minutes(5));
}

TEST_F(BackoffTest, IsSpreadByItsJitterAndNoFurther) {
  nanoseconds least = seconds(9);
  nanoseconds most{0};
  for (int i = 0; i < 1000; ++i) {
    least = std::min(least, Wait(1));
    most = std::max(most, Wait(1));
  }
  EXPECT_GE(least, milliseconds(800));
  EXPECT_LT(least, milliseconds(850));
  EXPECT_LE(most, milliseconds(1200));
  EXPECT_GT(most, milliseconds(1150));
}

}  // namespace
}  // namespace jobrunner::engine
