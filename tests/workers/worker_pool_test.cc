#include "workers/worker_pool.h"

#include <mutex>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "support/fake_clock.h"
#include "workers/assignments.h"
#include "workers/recording_sink.h"

namespace jobrunner::workers {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;

class WorkerPoolTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(handlers_
                    .Register("wait",
                              [this](HandlerContext&) -> HandlerResult {
                                std::call_once(begun_, [this] { began_.Notify(); });
                                release_.WaitForNotification();
                                return "";
                              })
                    .ok());
    pool_ =
        WorkerPool::Create(
            {.min = 2, .max = 8},
            {.handlers = &handlers_, .commands = &commands_, .clock = &clock_, .logger = &logger_},
            &sink_)
            .value();
  }

  // The notification that "wait" waits for must not outlive its threads' need of it.
  void TearDown() override {
    if (!release_.HasBeenNotified()) release_.Notify();
    pool_.reset();
  }

  engine::AttemptToken Start(const v1::Job& job) {
    std::vector<engine::Assignment> assignments = Assign(std::vector<v1::Job>{job});
    const engine::AttemptToken token = assignments[0].token;
    pool_->Start(std::move(assignments));
    return token;
  }

  test::FakeClock clock_;
  base::NullLogger logger_;
  CommandCatalog commands_;
  HandlerRegistry handlers_;
  RecordingSink sink_;
  std::once_flag begun_;
  absl::Notification began_, release_;
  std::unique_ptr<WorkerPool> pool_;
};

TEST_F(WorkerPoolTest, EachAttemptGetsTheLowestFreeWorker) {
  const engine::AttemptToken first = Start(HandlerJob("sleep", "3600000"));
  Start(HandlerJob("wait"));
  pool_->Stop({{.token = first, .grace = hours(1)}});
  EXPECT_EQ(sink_.TakeOutcome().worker, 1);
  Start(HandlerJob("echo"));
  EXPECT_EQ(sink_.TakeOutcome().worker, 1);
  release_.Notify();
  EXPECT_EQ(sink_.TakeOutcome().worker, 2);
}

TEST_F(WorkerPoolTest, ItGrowsWithLoadAndShrinksWhenIdle) {
  EXPECT_EQ(pool_->Statistics().slots, 2);
  pool_->Start(Assign(std::vector<v1::Job>(5, HandlerJob("wait"))));
  EXPECT_EQ(pool_->Statistics().slots, 5);
  EXPECT_EQ(pool_->Statistics().busy, 5);
  clock_.Advance(hours(1));
  EXPECT_EQ(pool_->Statistics().slots, 5);
  release_.Notify();
  sink_.TakeOutcomes(5);
  Start(HandlerJob("echo"));
  sink_.TakeOutcome();
  EXPECT_EQ(pool_->Statistics().busy, 0);
  EXPECT_EQ(pool_->Statistics().slots, 2);
}

TEST_F(WorkerPoolTest, ASlotStaysForAWhileAfterItsUse) {
  pool_->Start(Assign(std::vector<v1::Job>(5, HandlerJob("wait"))));
  release_.Notify();
  sink_.TakeOutcomes(5);
  clock_.Advance(WorkerNumbers::kIdleTime);
  EXPECT_EQ(pool_->Statistics().slots, 5);
  clock_.Advance(nanoseconds(1));
  EXPECT_EQ(pool_->Statistics().slots, 2);
}

TEST_F(WorkerPoolTest, ResizeChangesTheBounds) {
  pool_->Resize({.min = 4, .max = 16});
  EXPECT_EQ(pool_->Statistics().bounds.max, 16);
  EXPECT_EQ(pool_->Statistics().slots, 4);
}

TEST_F(WorkerPoolTest, WhatRunsBeyondASmallerMaximumGoesOn) {
  pool_->Start(Assign(std::vector<v1::Job>(5, HandlerJob("wait"))));
  pool_->Resize({.min = 0, .max = 1});
  EXPECT_EQ(pool_->Statistics().busy, 5);
  EXPECT_EQ(pool_->Statistics().slots, 5);
  release_.Notify();
  for (const engine::Outcome& outcome : sink_.TakeOutcomes(5)) EXPECT_EQ(outcome.failure, nullptr);
  EXPECT_EQ(pool_->Statistics().slots, 1);
}

TEST_F(WorkerPoolTest, AnAbandonedAttemptHoldsItsWorkerUntilItReturns) {
  const engine::AttemptToken token = Start(HandlerJob("wait"));
  began_.WaitForNotification();
  pool_->Stop({{.token = token, .grace = nanoseconds(0)}});
  EXPECT_TRUE(sink_.TakeOutcome().abandoned);
  EXPECT_EQ(pool_->Statistics().busy, 1);
  Start(HandlerJob("echo"));
  EXPECT_EQ(sink_.TakeOutcome().worker, 2);
  release_.Notify();
  sink_.TakeReturned();
  EXPECT_EQ(pool_->Statistics().busy, 0);
}

}  // namespace
}  // namespace jobrunner::workers
