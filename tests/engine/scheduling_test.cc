// What starts when: turns, limits, delays, shards.

#include <map>

#include "engine/engine_fixture.h"
#include "engine/limits.h"

namespace jobrunner::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SchedulingTest : public EngineTest {
 protected:
  // Ends one running attempt after the other, `ends` times, oldest first.
  void EndInOrder(size_t ends) {
    for (size_t i = 0; i < ends; ++i) {
      const auto [id, index] = started_.at(ended_++);
      Succeed(id, index);
    }
  }

  // How many jobs of the batch were started so far.
  int64_t StartsOf(const std::string& id) const {
    return std::count_if(started_.begin(), started_.end(),
                         [&](const auto& name) { return name.first == id; });
  }

  size_t ended_ = 0;
};

TEST_F(SchedulingTest, ABatchRunsToItsEnd) {
  const std::string id = Submit(Spec(3));
  EXPECT_THAT(Running(id), ElementsAre(0, 1, 2));
  SucceedAll(id);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_SUCCEEDED);
  EXPECT_EQ(FinishOf(id).succeeded(), 3);
  EXPECT_EQ(FinishOf(id).state(), v1::BATCH_STATE_SUCCEEDED);
  EXPECT_EQ(published_[id], 4);
}

TEST_F(SchedulingTest, NoMoreRunThanThePoolHasSlots) {
  options.pool = {0, 2};
  const std::string id = Submit(Spec(5));
  EXPECT_THAT(Running(id), ElementsAre(0, 1));
  Succeed(id, 0);
  EXPECT_THAT(Running(id), ElementsAre(1, 2));
}

TEST_F(SchedulingTest, ALargeBatchDoesNotHoldUpASmallOne) {
  options.pool = {0, 4};
  const std::string large = Submit(Spec(5000));
  EndInOrder(1000);
  const std::string small = Submit(Spec(10));
  EndInOrder(30);
  EXPECT_EQ(Describe(small).state(), v1::BATCH_STATE_SUCCEEDED);
  EXPECT_EQ(Describe(large).state(), v1::BATCH_STATE_RUNNING);
}

TEST_F(SchedulingTest, APriorityIsAShareOfTwoToItsTenth) {
  options.pool = {0, 1};
  const std::string usual = Submit(Spec(2000));
  const std::string urgent = Submit(Spec(2000, "priority: 20"));
  const std::string minor = Submit(Spec(2000, "priority: -10"));
  EndInOrder(1100);
  EXPECT_NEAR(StartsOf(urgent), 800, 5);
  EXPECT_NEAR(StartsOf(usual), 200, 5);
  EXPECT_NEAR(StartsOf(minor), 100, 5);
}

TEST_F(SchedulingTest, TheLowestPriorityStillGetsATurn) {
  options.pool = {0, 1};
  const std::string high = Submit(Spec(3000, "priority: 50"));
  const std::string low = Submit(Spec(10, "priority: -50"));
  EndInOrder(2100);
  EXPECT_GE(StartsOf(low), 2);
}

TEST_F(SchedulingTest, BatchesWithOneFairnessKeyShareATurn) {
  options.pool = {0, 1};
  const std::string a = Submit(Spec(300, "fairness_key: 'team'"));
  const std::string b = Submit(Spec(300, "fairness_key: 'team'"));
  const std::string alone = Submit(Spec(300));
  EndInOrder(200);
  EXPECT_NEAR(StartsOf(alone), 100, 2);
  EXPECT_NEAR(StartsOf(a), 50, 2);
  EXPECT_NEAR(StartsOf(b), 50, 2);
}

TEST_F(SchedulingTest, QueuesTakeTurnsWhateverTheNumberOfTheirBatches) {
  options.pool = {0, 1};
  options.queues = {Queue("other")};
  for (int i = 0; i < 5; ++i) Submit(Spec(300));
  const std::string alone = Submit(Spec(300, "queue: 'other'"));
  EndInOrder(200);
  EXPECT_NEAR(StartsOf(alone), 100, 2);
}

TEST_F(SchedulingTest, MaxParallelismBoundsABatch) {
  const std::string id = Submit(Spec(5, "max_parallelism: 2"));
  EXPECT_THAT(Running(id), ElementsAre(0, 1));
  EXPECT_EQ(Status(id, 2).wait().reason(), v1::WAIT_REASON_MAX_PARALLELISM);
  Fail(id, 1);
  EXPECT_THAT(Running(id), ElementsAre(0, 2));
}

TEST_F(SchedulingTest, MaxRunningBoundsAQueue) {
  options.queues = {Queue("narrow", 2)};
  const std::string a = Submit(Spec(2, "queue: 'narrow'"));
  const std::string b = Submit(Spec(2, "queue: 'narrow'"));
  const std::string elsewhere = Submit(Spec(2));
  EXPECT_THAT(Running(a), SizeIs(2));
  EXPECT_THAT(Running(b), IsEmpty());
  EXPECT_THAT(Running(elsewhere), SizeIs(2));
  EXPECT_EQ(Status(b, 0).wait().reason(), v1::WAIT_REASON_QUEUE_LIMIT);
  Succeed(a, 0);
  EXPECT_THAT(Running(b), ElementsAre(0));
}

TEST_F(SchedulingTest, APausedQueueStartsNothingUntilItIsResumed) {
  absl::Status answer = absl::UnknownError("none");
  Tell(PauseQueue{"default", true, [&](absl::Status status) { answer = status; }});
  EXPECT_TRUE(answer.ok());
  const std::string id = Submit(Spec(1));
  EXPECT_THAT(Running(id), IsEmpty());
  EXPECT_EQ(Status(id, 0).wait().reason(), v1::WAIT_REASON_QUEUE_PAUSED);
  Tell(PauseQueue{"default", false, [](absl::Status) {}});
  EXPECT_THAT(Running(id), ElementsAre(0));
}

TEST_F(SchedulingTest, PausingAQueueThatIsNotThereIsNotFound) {
  absl::Status answer;
  Tell(PauseQueue{"nowhere", true, [&](absl::Status status) { answer = status; }});
  EXPECT_EQ(answer.code(), absl::StatusCode::kNotFound);
}

TEST_F(SchedulingTest, ALargerPoolStartsMoreAndASmallerOneLetsWhatRunsEnd) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(4));
  Tell(ResizePool{{0, 3}, nullptr});
  EXPECT_THAT(Running(id), ElementsAre(0, 1, 2));
  ASSERT_THAT(resizes_, SizeIs(1));
  EXPECT_EQ(resizes_[0].max, 3);
  Tell(ResizePool{{0, 1}, nullptr});
  Succeed(id, 0);
  Succeed(id, 1);
  EXPECT_THAT(Running(id), ElementsAre(2));
  Succeed(id, 2);
  EXPECT_THAT(Running(id), ElementsAre(3));
}

TEST_F(SchedulingTest, ADelayedJobStartsWhenItsDelayHasPassed) {
  const std::string id = Submit(Jobs({"", "options { delay { seconds: 2 } }"}));
  EXPECT_THAT(Running(id), ElementsAre(0));
  EXPECT_EQ(Status(id, 1).wait().reason(), v1::WAIT_REASON_DELAY);
  Advance(2s - 1ms);
  EXPECT_FALSE(Runs(id, 1));
  Advance(1ms);
  EXPECT_TRUE(Runs(id, 1));
}

TEST_F(SchedulingTest, ABatchOfDelayedJobsHoldsNoShard) {
  options.shards_loaded_max = 1;
  const std::string later = Submit(Spec(2, "job_defaults { delay { seconds: 5 } }"));
  const std::string now = Submit(Spec(2));
  EXPECT_THAT(Running(now), ElementsAre(0, 1));
  EXPECT_EQ(store_.loads(), 0) << "the delayed batch took the place of the one that runs";
  EXPECT_EQ(Status(later, 0).wait().reason(), v1::WAIT_REASON_DELAY);
  Advance(5s);
  EXPECT_THAT(Running(later), ElementsAre(0, 1));
}

TEST_F(SchedulingTest, ADelayMayBeZeroAgainstADelayedDefault) {
  const std::string id =
      Submit(Jobs({"", "options { delay { } }"}, "job_defaults { delay { seconds: 5 } }"));
  EXPECT_THAT(Running(id), ElementsAre(1));
}

TEST_F(SchedulingTest, NothingRunsBeforeItsAcceptanceIsStored) {
  store_.HoldCommits(true);
  auto answer = Call(Spec(1));
  EXPECT_FALSE(answer->given());
  EXPECT_EQ(RunningInAll(), 0);
  store_.ReleaseCommit();
  EXPECT_TRUE(answer->given());
  EXPECT_EQ(RunningInAll(), 1);
  store_.HoldCommits(false);
}

TEST_F(SchedulingTest, ManyMoreStartsThanOneStepMakesAllStart) {
  options.pool = {0, 3 * kStartsPerStepMax};
  const std::string id = Submit(Spec(2 * kStartsPerStepMax + 5));
  EXPECT_THAT(Running(id), SizeIs(2 * kStartsPerStepMax + 5));
}

TEST_F(SchedulingTest, ShardsBeyondTheParsedOnesAreLoadedWhenTheirTurnComes) {
  options.pool = {0, 4};
  const std::string id = Submit(Spec(kJobsPerShardMax * (kShardsKeptParsedMax + 3)));
  EXPECT_EQ(store_.loads(), 0);
  SucceedAll(id);
  EXPECT_EQ(store_.loads(), 3);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_SUCCEEDED);
}

TEST_F(SchedulingTest, OthersRunWhileAShardIsLoaded) {
  options.pool = {0, 1};
  options.shards_loaded_max = 0;
  store_.HoldLoads(true);
  const std::string a = Submit(Spec(1));
  EXPECT_THAT(Running(a), IsEmpty());
  EXPECT_EQ(store_.loads_waiting(), 1U);
  store_.ReleaseLoad();
  EXPECT_THAT(Running(a), ElementsAre(0));
  store_.HoldLoads(false);
  Succeed(a, 0);
}

TEST_F(SchedulingTest, ManyBatchesDoNotLoadTheirShardsAllAtOnce) {
  options.pool = {0, 3};
  options.shards_loaded_max = 2;
  store_.HoldLoads(true);
  std::vector<std::string> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(Submit(Spec(1)));
  // Two came parsed, and one slot is left to load for.
  EXPECT_LE(store_.loads_waiting(), 3U);
  store_.HoldLoads(false);
  for (int round = 0; round < 50; ++round) {
    for (const std::string& id : ids) SucceedAll(id);
  }
  for (const std::string& id : ids) EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_SUCCEEDED);
}

TEST_F(SchedulingTest, AReconfiguredQueueHasItsNewLimitAtOnce) {
  options.queues = {Queue("narrow", 1)};
  const std::string id = Submit(Spec(3, "queue: 'narrow'"));
  EXPECT_THAT(Running(id), SizeIs(1));
  Tell(ReconfigureQueues{{Queue("narrow", 2)}});
  EXPECT_THAT(Running(id), SizeIs(2));
}

TEST_F(SchedulingTest, JobsOfAQueueThatIsGoneGoOnAndNewOnesAreRefused) {
  options.queues = {Queue("old", 1)};
  const std::string id = Submit(Spec(2, "queue: 'old'"));
  Tell(ReconfigureQueues{{Queue("new")}});
  EXPECT_EQ(Call(Spec(1, "queue: 'old'"))->batch().status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Call(Spec(1, "queue: 'new'"))->batch().ok());
  EXPECT_THAT(Running(id), ElementsAre(0));
  SucceedAll(id);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_SUCCEEDED);
}

TEST_F(SchedulingTest, TheDefaultQueueLosesALimitThatIsNoLongerConfigured) {
  options.queues = {Queue("default", 1)};
  const std::string id = Submit(Spec(3));
  Tell(ReconfigureQueues{{Queue("other")}});
  EXPECT_THAT(Running(id), SizeIs(3));
}

TEST_F(SchedulingTest, AnAssignmentSaysWhatItsWorkNeeds) {
  const std::string id = Submit(Jobs({"", "key: 'second'"}));
  const Assignment& assignment = AssignmentOf(id, 1);
  EXPECT_EQ(assignment.job().key(), "second");
  EXPECT_EQ(assignment.batch_id(), id);
  EXPECT_EQ(assignment.attempt, 1);
  EXPECT_EQ(assignment.deadline, base::SteadyTime::max());
  EXPECT_EQ(assignment.wall_deadline, base::WallTime::max());
}

TEST_F(SchedulingTest, AnAssignmentsDeadlineIsTheFirstOfAllThatBoundIt) {
  const base::Now now = clock_.Read();
  const std::string id = Submit(
      Jobs({"options { timeout { seconds: 3 } }", "options { total_timeout { seconds: 4 } }", ""},
           "timeout { seconds: 5 }"));
  EXPECT_EQ(AssignmentOf(id, 0).deadline, now.steady + 3s);
  EXPECT_EQ(AssignmentOf(id, 1).deadline, now.steady + 4s);
  EXPECT_EQ(AssignmentOf(id, 2).deadline, now.steady + 5s);
  EXPECT_EQ(AssignmentOf(id, 2).wall_deadline, now.wall + 5s);
}

TEST_F(SchedulingTest, AJumpOfTheWallClockDoesNotMoveAnAssignmentsDeadline) {
  const base::SteadyTime start = clock_.Read().steady;
  const std::string id = Submit(Spec(2, "timeout { seconds: 60 } max_parallelism: 1"));
  clock_.JumpWall(24h);
  Succeed(id, 0);
  EXPECT_EQ(AssignmentOf(id, 1).deadline, start + 60s);
  EXPECT_EQ(AssignmentOf(id, 1).wall_deadline, clock_.Read().wall + 60s);
}

}  // namespace
}  // namespace jobrunner::engine
