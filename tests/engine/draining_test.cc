// The end.

#include "engine/engine_fixture.h"

namespace jobrunner::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class DrainingTest : public EngineTest {
 protected:
  int drained_ = 0;
};

TEST_F(DrainingTest, AnIdleEngineIsDrainedAtOnce) {
  Submit(Spec(1));
  SucceedAll("batch-0001");
  DrainNow(5s, &drained_);
  EXPECT_EQ(drained_, 1);
  EXPECT_TRUE(engine().draining());
}

TEST_F(DrainingTest, InADrainNothingIsAcceptedAndNothingStarts) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(2));
  DrainNow(5s, &drained_);
  EXPECT_EQ(Call(Spec(1))->batch().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Status(id, 1).wait().reason(), v1::WAIT_REASON_DRAINING);
  Succeed(id, 0);
  EXPECT_THAT(started_, SizeIs(1));
  EXPECT_EQ(drained_, 1);
}

TEST_F(DrainingTest, WhatRunsMayFinishForTheGraceAndIsStoppedThen) {
  const std::string id = Submit(Spec(2));
  DrainNow(5s, &drained_);
  Advance(4s);
  Succeed(id, 0);
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_THAT(StopsOf(id, 1), IsEmpty());
  Advance(1s);
  EXPECT_THAT(StopsOf(id, 1), ElementsAre(1s));
  EXPECT_EQ(drained_, 0);
  Fail(id, 1);
  EXPECT_EQ(drained_, 1);
}

TEST_F(DrainingTest, WithoutADurableStoreWhatRemainsIsCancelled) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(3));
  DrainNow(5s, &drained_);
  Advance(5s);
  Fail(id, 0);
  for (int32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(ResultOf(id, i).state(), v1::JOB_STATE_CANCELLED);
    EXPECT_EQ(ResultOf(id, i).error().reason(), v1::REASON_SERVER_SHUTDOWN);
  }
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_CANCELLED);
  EXPECT_EQ(drained_, 1);
}

TEST_F(DrainingTest, WithADurableStoreWhatRunsIsPutBackAndCountsForNothing) {
  options.durable = true;
  options.pool = {0, 1};
  const std::string id = Submit(Spec(2));
  DrainNow(5s, &drained_);
  Advance(5s);
  Fail(id, 0);
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_QUEUED);
  EXPECT_EQ(Status(id, 0).attempts(), 0);
  EXPECT_THAT(Events(id), IsEmpty()) << "readers see nothing of it";
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_RUNNING);
  EXPECT_EQ(drained_, 1);
}

TEST_F(DrainingTest, TheDeadlinesOfWhatWasPutBackAreWatched) {
  options.durable = true;
  const std::string id = Submit(Spec(1, "job_defaults { total_timeout { seconds: 10 } }"));
  Advance(1s);
  DrainNow(0s, &drained_);
  Fail(id, 0);
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_QUEUED);
  Advance(9s);
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_TOTAL_TIMEOUT);
}

TEST_F(DrainingTest, WhatSucceedsThoughItWasToBePutBackHasSucceeded) {
  options.durable = true;
  const std::string id = Submit(Spec(1));
  DrainNow(0s, &drained_);
  EXPECT_THAT(StopsOf(id, 0), ElementsAre(1s));
  Succeed(id, 0);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_SUCCEEDED);
}

TEST_F(DrainingTest, AnAttemptThatTimedOutBeforeTheDrainHasFailed) {
  options.durable = true;
  const std::string id = Submit(Spec(1, "job_defaults { timeout { seconds: 1 } }"));
  Advance(1s);
  DrainNow(0s, &drained_);
  Fail(id, 0);
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_ATTEMPT_TIMEOUT);
}

TEST_F(DrainingTest, AClientsCancelIsNotTakenBackByADrain) {
  options.durable = true;
  const std::string id = Submit(Spec(2));
  CancelIt(id, {0}, 60s);
  DrainNow(0s, &drained_);
  EXPECT_THAT(StopsOf(id, 0), ElementsAre(60s, 1s));
  CancelIt(id, {1}, 60s);
  Fail(id, 0);
  Fail(id, 1);
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_CLIENT_CANCEL);
  EXPECT_EQ(ResultOf(id, 1).error().reason(), v1::REASON_CLIENT_CANCEL);
}

TEST_F(DrainingTest, ABatchBoundToItsCallIsNeverPutBack) {
  options.durable = true;
  options.pool = {0, 1};
  auto submission = MakeCall(Spec(2));
  submission->bound_to_call = true;
  const std::string id = submission->batch_id;
  Call(std::move(submission));
  DrainNow(0s, &drained_);
  Fail(id, 0);
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_SERVER_SHUTDOWN);
  EXPECT_EQ(ResultOf(id, 1).error().reason(), v1::REASON_SERVER_SHUTDOWN);
  EXPECT_EQ(drained_, 1);
}

TEST_F(DrainingTest, AnAbandonedHandlerDoesNotHoldUpADrain) {
  const std::string id = Submit(Spec(1));
  DrainNow(0s, &drained_);
  Abandon(id, 0);
  EXPECT_EQ(drained_, 1);
  EXPECT_EQ(engine().CountAll().slots_lost, 1);
}

TEST_F(DrainingTest, DrainedWaitsForTheStore) {
  const std::string id = Submit(Spec(1));
  store_.HoldCommits(true);
  Succeed(id, 0);
  DrainNow(0s, &drained_);
  EXPECT_EQ(drained_, 0);
  store_.HoldCommits(false);
  EXPECT_EQ(drained_, 1);
}

TEST_F(DrainingTest, DrainedWaitsForBatchesOfWhichTheAcceptanceIsNotStored) {
  store_.HoldCommits(true);
  const std::string id = Submit(Spec(2));
  DrainNow(0s, &drained_);
  EXPECT_EQ(drained_, 0);
  store_.HoldCommits(false);
  EXPECT_EQ(drained_, 1);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_CANCELLED);
}

TEST_F(DrainingTest, ASecondDrainMayShortenTheGraceNotLengthenIt) {
  const std::string id = Submit(Spec(1));
  DrainNow(10s, &drained_);
  DrainNow(60s, &drained_);
  Advance(1s);
  DrainNow(2s, &drained_);
  Advance(2s);
  EXPECT_THAT(StopsOf(id, 0), SizeIs(1));
  Fail(id, 0);
  EXPECT_EQ(drained_, 3) << "each is told";
  DrainNow(0s, &drained_);
  EXPECT_EQ(drained_, 4) << "also who asks afterwards";
}

TEST_F(DrainingTest, AJobThatFailsInADrainWaitsForItsRetryUntilItIsPutBack) {
  options.durable = true;
  const std::string id = Submit(Spec(1, "job_defaults { retry_policy { max_attempts: 2 } }"));
  DrainNow(5s, &drained_);
  Fail(id, 0);
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RETRYING);
  EXPECT_EQ(drained_, 1);
  EXPECT_EQ(Status(id, 0).attempts(), 1);
}

}  // namespace
}  // namespace jobrunner::engine
