// Many jobs that fail at once, since what they all need is away.

#include <algorithm>

#include "engine/engine_fixture.h"

namespace jobrunner::engine {
namespace {

constexpr int32_t kUnavailable = 14;
constexpr std::chrono::milliseconds kTick{100};

class RetryStormTest : public EngineTest {
 protected:
  // How many attempts have started since the last call.
  size_t NewStarts() {
    const size_t now = started_.size();
    return now - std::exchange(starts_seen_, now);
  }

 private:
  size_t starts_seen_ = 0;
};

// By its jitter of a fifth a backoff of 10 s is one of 8 to 12 s.
TEST_F(RetryStormTest, WhatFailedAtOnceComesBackSpreadOverTheJitter) {
  constexpr size_t kJobs = 10'000;
  options.pool.max = kJobs;
  const std::string id = Submit(Spec(
      kJobs, "job_defaults { retry_policy { max_attempts: 2 initial_backoff { seconds: 10 } } }"));
  ASSERT_EQ(NewStarts(), kJobs);
  FailRunning(id, kUnavailable);
  Advance(8s - kTick);
  EXPECT_EQ(NewStarts(), 0);
  constexpr size_t kTicks = 41;
  size_t busiest = 0;
  size_t started = 0;
  for (size_t tick = 0; tick < kTicks; ++tick) {
    Advance(kTick);
    const size_t starts = NewStarts();
    busiest = std::max(busiest, starts);
    started += starts;
  }
  EXPECT_EQ(started, kJobs);
  EXPECT_LE(busiest, 2 * kJobs / kTicks);
}

TEST_F(RetryStormTest, AnOutageIsHitByNoMoreThanTheQueueLetsRunAndHoldsNobodyElseUp) {
  constexpr int kJobs = 2'000;
  constexpr int kAtOnce = 10;
  constexpr int kTicksOfOutage = 3'000;
  options.pool.max = 2 * kAtOnce;
  options.queues = {Queue("default"), Queue("mail", kAtOnce)};
  const std::string mail =
      Submit(Spec(kJobs,
                  "queue: 'mail' job_defaults { retry_policy { max_attempts: 1000 "
                  "initial_backoff { seconds: 1 } max_backoff { seconds: 30 } } }"));
  size_t attempts = NewStarts();
  for (int tick = 0; tick < kTicksOfOutage; ++tick) {
    ASSERT_LE(RunningInAll(), kAtOnce);
    FailRunning(mail, kUnavailable);
    Advance(kTick);
    attempts += NewStarts();
  }
  EXPECT_GE(attempts, 5 * kJobs);

  const std::string other = Submit(Spec(kAtOnce));
  EXPECT_EQ(Running(other).size(), kAtOnce);
  SucceedRunning(other);
  EXPECT_EQ(Describe(other).state(), v1::BATCH_STATE_SUCCEEDED);

  // It is over: every job has its turn within its longest backoff and its wait.
  const int ticks = kJobs / kAtOnce + 36s / kTick;
  for (int tick = 0; tick < ticks; ++tick) {
    SucceedRunning(mail);
    Advance(kTick);
  }
  EXPECT_EQ(Describe(mail).state(), v1::BATCH_STATE_SUCCEEDED);
  EXPECT_EQ(Describe(mail).counts().succeeded(), kJobs);
}

}  // namespace
}  // namespace jobrunner::engine
