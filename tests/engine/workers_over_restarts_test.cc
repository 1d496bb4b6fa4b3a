// Remote workers over restarts of the server: what they held, and what was not stored.

#include "engine/workers_fixture.h"

namespace jobrunner::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class WorkersOverRestartsTest : public WorkersTest {
 protected:
  WorkersOverRestartsTest() { options.durable = true; }
};

TEST_F(WorkersOverRestartsTest, AnAssignmentOutlivesTheServer) {
  const std::string id = Submit(Remote(2));
  Join(1, 2);
  Restart(2s);
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RUNNING);
  Tell(ComesBack(2, 1, id, {0, 1}));
  ASSERT_THAT(remote_.welcomes.back().claims, SizeIs(2));
  for (const Claim& claim : remote_.welcomes.back().claims) Report(2, claim.token);
  EXPECT_EQ(FinishOf(id).succeeded(), 2);
  EXPECT_EQ(ResultOf(id, 0).attempts(), 1) << "none was lost";
}

TEST_F(WorkersOverRestartsTest, WhatWasPutBackIsNobodysAfterwards) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  Tell(WorkerLeaving{1, std::vector<AttemptToken>()});
  Restart();
  Tell(ComesBack(2, 1, id, {0}));
  EXPECT_THAT(remote_.welcomes.back().claims, IsEmpty());
  EXPECT_EQ(Assigned(2, 0).attempt, 1);
}

TEST_F(WorkersOverRestartsTest, WhatWaitsForItsStoredStartAtAWorkerThatLeavesIsPutBack) {
  const std::string id = Submit(Remote(1, "job_defaults { max_lost_attempts: 0 }"));
  store_.HoldCommits(true);
  Join(1, 1);
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RUNNING);
  EXPECT_THAT(remote_.starts, IsEmpty());
  Tell(WorkerLeaving{1, std::vector<AttemptToken>()});
  store_.HoldCommits(false);
  Join(2, 1);
  EXPECT_THAT(HeldBy(1), IsEmpty());
  EXPECT_THAT(HeldBy(2), ElementsAre(0));
}

TEST_F(WorkersOverRestartsTest, WhatWasNotSentIsPutBackWhenItsWorkerIsGone) {
  const std::string id = Submit(Remote(1, "job_defaults { max_lost_attempts: 0 }"));
  store_.HoldCommits(true);
  Join(1, 1);
  Tell(WorkerGone{1});
  store_.HoldCommits(false);
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_QUEUED);
  Join(2, 1);
  EXPECT_THAT(HeldBy(2), ElementsAre(0));
}

TEST_F(WorkersOverRestartsTest, WhatWasNotSentIsPutBackWhenItsSessionIsTakenUp) {
  const std::string id = Submit(Remote(1, "job_defaults { max_lost_attempts: 0 }"));
  store_.HoldCommits(true);
  Join(1, 1);
  Tell(ComesBack(2, 1, id, {}));
  store_.HoldCommits(false);
  EXPECT_THAT(HeldBy(1), IsEmpty());
  EXPECT_THAT(HeldBy(2), ElementsAre(0));
}

// Its outcome was not stored, so that the worker must still have it.
TEST_F(WorkersOverRestartsTest, WhatWasDoneAndIsLostWithTheServerIsBroughtAgain) {
  const std::string id = Submit(Remote(1, "job_defaults { max_lost_attempts: 0 }"));
  Join(1, 1);
  const AttemptToken token = Assigned(1, 0).token;
  store_.HoldCommits(true);
  Report(1, token);
  Tell(WorkerGone{1});
  Tell(ComesBack(2, 1, id, {0}));
  EXPECT_THAT(remote_.welcomes, SizeIs(1)) << "it is not told to drop it";
  Restart();
  Tell(ComesBack(3, 1, id, {0}));
  ASSERT_THAT(remote_.welcomes.back().claims, SizeIs(1));
  Report(3, remote_.welcomes.back().claims[0].token);
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ResultOf(id, 0).attempts(), 1);
}

// Before its welcome, which has the new names.
TEST_F(WorkersOverRestartsTest, AWorkerWhoseStreamBreaksAgainGoesOnAllTheSame) {
  const std::string id = Submit(Remote(2));
  Join(1, 2);
  Restart(2s);
  Tell(ComesBack(2, 1, id, {0, 1}));
  Tell(WorkerGone{2});
  WorkerJoin again = ComesBack(3, 1, id, {0, 1});
  again.previous = 2;
  Tell(std::move(again));
  ASSERT_THAT(remote_.welcomes.back().claims, SizeIs(2));
  for (const Claim& claim : remote_.welcomes.back().claims) Report(3, claim.token);
  EXPECT_EQ(FinishOf(id).succeeded(), 2);
  EXPECT_EQ(ResultOf(id, 0).attempts(), 1) << "none was lost";
}

TEST_F(WorkersOverRestartsTest, AServerThatStoodStillAwaitsWhoHoldsWhatForAnotherLease) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  Restart(2s);
  OverSleep(60s);
  EXPECT_THAT(AttemptErrorsOf(id, 0), IsEmpty());
  Tell(ComesBack(2, 1, id, {0}));
  EXPECT_THAT(remote_.welcomes.back().claims, SizeIs(1));
}

TEST_F(WorkersOverRestartsTest, WhatNobodyComesBackForWithinALeaseIsLost) {
  const std::string id = Submit(Remote(2));
  Join(1, 2);
  Restart();
  Tell(ComesBack(2, 1, id, {1}));
  Advance(8s);
  Answer(2, {remote_.welcomes.back().claims[0].token});
  EXPECT_THAT(AttemptErrorsOf(id, 0), IsEmpty());
  Advance(1s);
  EXPECT_THAT(AttemptErrorsOf(id, 0), SizeIs(1));
  EXPECT_THAT(AttemptErrorsOf(id, 1), IsEmpty());
}

TEST_F(WorkersOverRestartsTest, AClaimOfAnAttemptThatIsNotTheRunningOneIsRefused) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  Restart();
  WorkerJoin join = ComesBack(2, 1, id, {0});
  ++join.held[0].token.number;
  Tell(std::move(join));
  EXPECT_THAT(remote_.welcomes.back().claims, IsEmpty());
}

TEST_F(WorkersOverRestartsTest, WhatRunsAgainCountsAgainstTheLimitsUntilItIsDecided) {
  const std::string id = Submit(Remote(3, "max_parallelism: 1"));
  Join(1, 1);
  Restart();
  Join(2, 10);
  EXPECT_THAT(HeldBy(2), IsEmpty());
  Advance(8s);
  Answer(2, {});
  EXPECT_THAT(HeldBy(2), IsEmpty());
  Advance(1s);
  EXPECT_THAT(HeldBy(2), SizeIs(1));
}

TEST_F(WorkersOverRestartsTest, ACancelDuringTheWaitEndsTheJobWhenItIsClaimed) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  Restart();
  CancelIt(id);
  Tell(ComesBack(2, 1, id, {0}));
  ASSERT_THAT(remote_.stops, SizeIs(1));
  Report(2, remote_.welcomes.back().claims[0].token);
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_CANCELLED);
}

TEST_F(WorkersOverRestartsTest, ATimeoutRunsOnOverARestart) {
  const std::string id = Submit(Remote(1, "job_defaults { timeout { seconds: 8 } }"));
  Join(1, 1);
  Advance(2s);
  Restart(3s);
  Tell(ComesBack(2, 1, id, {0}));
  Advance(2s);
  EXPECT_THAT(remote_.stops, IsEmpty());
  Advance(1s);
  EXPECT_THAT(remote_.stops, SizeIs(1));
}

TEST_F(WorkersOverRestartsTest, ADrainLeavesWorkersWhatTheyHold) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  int drained = 0;
  DrainNow(5s, &drained);
  EXPECT_EQ(drained, 1) << "there is nothing to wait for";
  EXPECT_THAT(remote_.stops, IsEmpty());
  Restart();
  Tell(ComesBack(2, 1, id, {0}));
  Report(2, remote_.welcomes.back().claims[0].token);
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ResultOf(id, 0).attempts(), 1);
}

TEST_F(WorkersOverRestartsTest, ADrainDoesNotWaitForWhoeverHoldsWhatIsCancelled) {
  const std::string id = Submit(Remote(2));
  Join(1, 1);
  Restart();
  CancelIt(id);
  int drained = 0;
  DrainNow(5s, &drained);
  EXPECT_EQ(drained, 1) << "nobody is let in who could say";
  Restart();
  Tell(ComesBack(2, 1, id, {0}));
  ASSERT_THAT(remote_.stops, SizeIs(1));
  Report(2, remote_.welcomes.back().claims[0].token);
  EXPECT_EQ(FinishOf(id).cancelled(), 2);
}

TEST_F(WorkersOverRestartsTest, ADrainWaitsItsGraceForWorkersThatWereAskedToStop) {
  const std::string stops = Submit(Remote(1));
  const std::string stubborn = Submit(Remote(1));
  Join(1, 2);
  CancelIt(stops, {}, 3600s);
  CancelIt(stubborn, {}, 3600s);
  int drained = 0;
  DrainNow(5s, &drained);
  Advance(2s);
  Report(1, remote_.starts[0].token);
  EXPECT_EQ(FinishOf(stops).cancelled(), 1);
  EXPECT_EQ(drained, 0);
  Advance(3s);
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(StateOf(stubborn, 0), v1::JOB_STATE_RUNNING) << "it is the next server's";
}

TEST_F(WorkersOverRestartsTest, WhatMayNotBeLostAgainIsAssignedOnceItsStartIsStored) {
  const std::string id = Submit(Remote(1, "job_defaults { max_lost_attempts: 0 }"));
  store_.HoldCommits(true);
  Join(1, 1);
  EXPECT_THAT(remote_.starts, IsEmpty());
  store_.HoldCommits(false);
  EXPECT_THAT(remote_.starts, SizeIs(1));
  Report(1, 0);
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_SUCCEEDED);
}

}  // namespace
}  // namespace jobrunner::engine
