// What an earlier server left unfinished goes on.

#include "engine/engine_fixture.h"
#include "engine/proto_time.h"

namespace jobrunner::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kThreeAttempts[] =
    "job_defaults { retry_policy { max_attempts: 3 initial_backoff { seconds: 10 } jitter: 0 } }";

class RecoveryTest : public EngineTest {
 protected:
  RecoveryTest() { options.durable = true; }

  // Without waiting for the answer.
  std::string SubmitHeld(const v1::BatchSpec& spec) {
    auto submission = MakeCall(spec);
    std::string id = submission->batch_id;
    Call(std::move(submission));
    return id;
  }

  std::string SubmitBoundToCall(const v1::BatchSpec& spec) {
    auto submission = MakeCall(spec);
    submission->bound_to_call = true;
    std::string id = submission->batch_id;
    Call(std::move(submission));
    return id;
  }
};

TEST_F(RecoveryTest, WhatHasEndedStaysEndedAndTheRestGoesOn) {
  options.pool = {0, 2};
  const std::string id = Submit(Spec(5));
  Succeed(id, 0);
  Fail(id, 1);
  Restart();
  EXPECT_THAT(Running(id), ElementsAre(2, 3)) << "which were running, and run again";
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(StateOf(id, 1), v1::JOB_STATE_FAILED);
  SucceedAll(id);
  EXPECT_EQ(FinishOf(id).succeeded(), 4);
  EXPECT_EQ(FinishOf(id).failed(), 1);
}

TEST_F(RecoveryTest, ABatchThatNobodyLookedAtYetStarts) {
  options.pool = {0, 0};
  const std::string id = Submit(Spec(600));
  options.pool = {0, 1000};
  Restart();
  EXPECT_THAT(Running(id), SizeIs(600));
  EXPECT_THAT(AttemptErrorsOf(id, 0), IsEmpty());
}

TEST_F(RecoveryTest, AnAttemptThatRanIsLostAndSaysSo) {
  const std::string id = Submit(Spec(1));
  Restart();
  const auto errors = AttemptErrorsOf(id, 0);
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_EQ(errors[0].error().reason(), v1::REASON_WORKER_LOST);
  EXPECT_EQ(errors[0].error().code(), 14);
  EXPECT_EQ(errors[0].attempt(), 1);
  EXPECT_EQ(errors[0].worker(), "") << "nobody knows which it was";
  EXPECT_TRUE(errors[0].will_retry());
  EXPECT_EQ(AssignmentOf(id, 0).attempt, 2);
  EXPECT_EQ(Status(id, 0).lost_attempts(), 1);
}

TEST_F(RecoveryTest, LostAttemptsHaveAMaximumOfTheirOwn) {
  const std::string id = Submit(Spec(1, "job_defaults { retry_policy { max_attempts: 1 } }"));
  for (int i = 0; i < 3; ++i) Restart();
  EXPECT_TRUE(Runs(id, 0)) << "three may be lost";
  Restart();
  EXPECT_FALSE(Runs(id, 0));
  const v1::JobResult result = ResultOf(id, 0);
  EXPECT_EQ(result.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(result.error().reason(), v1::REASON_WORKER_LOST);
  EXPECT_EQ(result.attempts(), 4);
  EXPECT_THAT(AttemptErrorsOf(id, 0), SizeIs(3));
  EXPECT_EQ(FinishOf(id).state(), v1::BATCH_STATE_FAILED);
}

TEST_F(RecoveryTest, AtMostOnceBeginsWhenItsStartIsStored) {
  store_.HoldCommits(true);
  const std::string once = SubmitHeld(Spec(1, "job_defaults { max_lost_attempts: 0 }"));
  store_.ReleaseCommit();
  Advance(1ms);
  EXPECT_EQ(store_.commits_waiting(), 1u) << "the start";
  EXPECT_EQ(Status(once, 0).state(), v1::JOB_STATE_RUNNING);
  EXPECT_FALSE(Runs(once, 0));
  store_.ReleaseCommit();
  Advance(1ms);
  EXPECT_TRUE(Runs(once, 0));

  const std::string often = SubmitHeld(Spec(1));
  store_.ReleaseCommit();
  Advance(1ms);
  EXPECT_TRUE(Runs(often, 0)) << "though its start waits";
  store_.HoldCommits(false);
}

TEST_F(RecoveryTest, AtMostOnceThatIsCancelledBeforeItsStartIsStoredNeverBegins) {
  store_.HoldCommits(true);
  const std::string id = SubmitHeld(Spec(1, "job_defaults { max_lost_attempts: 0 }"));
  store_.ReleaseCommit();
  Advance(1ms);
  Cancel cancel;
  cancel.batch_id = id;
  Tell(std::move(cancel));
  EXPECT_FALSE(Runs(id, 0));
  store_.HoldCommits(false);
  Advance(1ms);
  EXPECT_FALSE(Runs(id, 0));
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_CLIENT_CANCEL);
  EXPECT_EQ(FinishOf(id).state(), v1::BATCH_STATE_CANCELLED);
}

// Told in one Step to stop it and to begin it, an executor would not stop it.
TEST_F(RecoveryTest, AtMostOnceThatTheEndOfAnotherStopsAsItsStartIsStoredNeverBegins) {
  store_.HoldCommits(true);
  const std::string id = SubmitHeld(Jobs({"", "options { total_timeout { seconds: 1 } }", ""},
                                         "failure_policy: FAILURE_POLICY_CANCEL_BATCH "
                                         "job_defaults { max_lost_attempts: 0 }"));
  store_.ReleaseCommit();
  Advance(2s);
  EXPECT_THAT(Running(id), IsEmpty());
  store_.HoldCommits(false);
  Advance(1ms);
  EXPECT_THAT(Running(id), IsEmpty());
  EXPECT_EQ(ResultOf(id, 1).error().reason(), v1::REASON_TOTAL_TIMEOUT);
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_FAILURE_POLICY);
  EXPECT_EQ(ResultOf(id, 2).error().reason(), v1::REASON_FAILURE_POLICY);
  EXPECT_EQ(FinishOf(id).state(), v1::BATCH_STATE_FAILED);
}

TEST_F(RecoveryTest, AtMostOnceIsNotRunAgain) {
  const std::string id = Submit(Spec(1, "job_defaults { max_lost_attempts: 0 }"));
  Restart();
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_WORKER_LOST);
  EXPECT_THAT(started_, SizeIs(1));
}

TEST_F(RecoveryTest, LostAttemptsLeaveTheRetriesOfThePolicy) {
  const std::string id = Submit(Spec(1, kThreeAttempts));
  Restart();
  for (int i = 0; i < 2; ++i) {
    Fail(id, 0);
    EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RETRYING);
    Advance(20s);
  }
  Fail(id, 0);
  EXPECT_EQ(ResultOf(id, 0).attempts(), 4);
}

TEST_F(RecoveryTest, AnEndThatWasNotStoredIsALostAttempt) {
  const std::string id = Submit(Spec(1));
  store_.HoldCommits(true);
  Succeed(id, 0);
  Restart();
  EXPECT_THAT(AttemptErrorsOf(id, 0), SizeIs(1)) << "its success was lost";
  EXPECT_TRUE(Runs(id, 0));
}

TEST_F(RecoveryTest, AStartThatWasNotStoredNeverWas) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(2));
  store_.HoldCommits(true);
  Succeed(id, 0);
  ASSERT_TRUE(Runs(id, 1));
  Restart(0s, /*kept=*/0);
  EXPECT_THAT(AttemptErrorsOf(id, 1), IsEmpty());
  EXPECT_EQ(Status(id, 1).attempts(), 0);
}

TEST_F(RecoveryTest, WhatWasNotStoredWasNotAccepted) {
  store_.HoldCommits(true);
  const std::string id = Submit(Spec(1));
  Restart();
  EXPECT_EQ(engine().Find(id), nullptr);
  EXPECT_THAT(started_, IsEmpty());
}

TEST_F(RecoveryTest, WhatWasStoredAndNotAnsweredGoesOn) {
  store_.HoldCommits(true);
  const std::string id = Submit(Spec(1));
  Restart(0s, /*kept=*/1);
  EXPECT_TRUE(Runs(id, 0));
  EXPECT_THAT(AttemptErrorsOf(id, 0), IsEmpty());
}

TEST_F(RecoveryTest, WhatADrainPutBackCountsForNothing) {
  int drained = 0;
  const std::string id = Submit(Spec(1, "job_defaults { max_lost_attempts: 0 }"));
  DrainNow(0s, &drained);
  Fail(id, 0);
  ASSERT_EQ(drained, 1);
  Restart();
  EXPECT_EQ(AssignmentOf(id, 0).attempt, 1);
  EXPECT_THAT(Events(id), IsEmpty());
}

TEST_F(RecoveryTest, AnOutcomeOfTheEarlierServerIsRefused) {
  const std::string id = Submit(Spec(1));
  const AttemptToken before = AssignmentOf(id, 0).token;
  Restart();
  Outcome late;
  late.token = before;
  Tell(std::move(late));
  EXPECT_TRUE(Runs(id, 0));
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(engine().CountAll().outcomes_refused, 1);
}

TEST_F(RecoveryTest, ARetryWaitsForWhatIsLeftOfItsBackoff) {
  const std::string id = Submit(Spec(1, kThreeAttempts));
  Fail(id, 0);
  Advance(3s);
  Restart(4s);
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RETRYING);
  Advance(2999ms);
  EXPECT_FALSE(Runs(id, 0));
  Advance(1ms);
  EXPECT_TRUE(Runs(id, 0));
}

TEST_F(RecoveryTest, ABackoffThatPassedMeanwhileIsOver) {
  const std::string id = Submit(Spec(1, kThreeAttempts));
  Fail(id, 0);
  Restart(1h);
  EXPECT_TRUE(Runs(id, 0));
}

TEST_F(RecoveryTest, ADelayGoesOn) {
  const std::string id = Submit(Jobs({"options { delay { seconds: 10 } }", ""}));
  const std::string all = Submit(Spec(2, "job_defaults { delay { seconds: 10 } }"));
  Restart(4s);
  EXPECT_THAT(Running(id), ElementsAre(1));
  EXPECT_THAT(Running(all), IsEmpty());
  Advance(5999ms);
  EXPECT_THAT(Running(id), ElementsAre(1));
  EXPECT_THAT(Running(all), IsEmpty());
  Advance(1ms);
  EXPECT_THAT(Running(id), ElementsAre(0, 1));
  EXPECT_THAT(Running(all), ElementsAre(0, 1));
}

TEST_F(RecoveryTest, ADelayedJobThatWasLookedAtBeforeIsStartedOnce) {
  const std::string id = Submit(Jobs({"options { delay { seconds: 10 } }", "", ""}));
  Succeed(id, 1);
  Restart(20s);
  EXPECT_THAT(Running(id), ElementsAre(0, 2));
  SucceedAll(id);
  EXPECT_EQ(FinishOf(id).succeeded(), 3);
}

TEST_F(RecoveryTest, DeadlinesThatPassedMeanwhileSayWhich) {
  options.pool = {0, 0};
  const std::string batch = Submit(Spec(2, "timeout { seconds: 5 }"));
  const std::string start = Submit(Spec(1, "job_defaults { start_timeout { seconds: 5 } }"));
  const std::string total = Submit(Spec(1, "job_defaults { total_timeout { seconds: 5 } }"));
  options.pool = {0, 100};
  Restart(6s);
  EXPECT_THAT(started_, IsEmpty());
  EXPECT_EQ(ResultOf(batch, 1).error().reason(), v1::REASON_BATCH_TIMEOUT);
  EXPECT_EQ(ResultOf(start, 0).error().reason(), v1::REASON_START_TIMEOUT);
  EXPECT_EQ(ResultOf(total, 0).error().reason(), v1::REASON_TOTAL_TIMEOUT);
}

TEST_F(RecoveryTest, DeadlinesThatPassedMeanwhileEndWhatRan) {
  const std::string batch = Submit(Spec(1, "timeout { seconds: 5 }"));
  const std::string total = Submit(Spec(1, "job_defaults { total_timeout { seconds: 5 } }"));
  Restart(6s);
  EXPECT_THAT(started_, SizeIs(2)) << "nothing was started again";
  EXPECT_EQ(ResultOf(batch, 0).error().reason(), v1::REASON_BATCH_TIMEOUT);
  EXPECT_EQ(ResultOf(total, 0).error().reason(), v1::REASON_TOTAL_TIMEOUT);
}

TEST_F(RecoveryTest, DeadlinesThatAreLeftFireWhenTheyPass) {
  const std::string batch = Submit(Spec(1, "timeout { seconds: 5 }"));
  const std::string total = Submit(Spec(1, "job_defaults { total_timeout { seconds: 5 } }"));
  Restart(3s);
  Advance(1999ms);
  EXPECT_THAT(StopsOf(batch, 0), IsEmpty());
  EXPECT_THAT(StopsOf(total, 0), IsEmpty());
  Advance(1ms);
  EXPECT_THAT(StopsOf(batch, 0), SizeIs(1));
  EXPECT_THAT(StopsOf(total, 0), SizeIs(1));
}

TEST_F(RecoveryTest, AJobThatWasStartedOnceHasStarted) {
  int drained = 0;
  const std::string id = Submit(Spec(1, "job_defaults { start_timeout { seconds: 5 } }"));
  DrainNow(0s, &drained);
  Fail(id, 0);
  Restart(1h);
  EXPECT_TRUE(Runs(id, 0)) << "put back before, and no start_timeout ends it now";
}

TEST_F(RecoveryTest, AWallClockThatWasSetBackGivesNoMoreTimeThanWasLeft) {
  const std::string id = Submit(Jobs({"", ""}, "timeout { seconds: 60 }"));
  Advance(40s);
  Succeed(id, 0);
  clock_.JumpWall(-1h);
  Restart(1s);
  Advance(19s);
  EXPECT_EQ(Describe(id).cancel_requested(), false);
  Advance(1s);
  EXPECT_TRUE(Describe(id).cancel_requested());
}

TEST_F(RecoveryTest, ACancelThatWasRequestedIsCarriedOut) {
  options.pool = {0, 2};
  const std::string id = Submit(Spec(600));
  store_.HoldLoads(true);
  CancelIt(id);
  Restart();
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_CANCELLED);
  EXPECT_EQ(FinishOf(id).cancelled(), 600);
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_CLIENT_CANCEL) << "which was running";
  EXPECT_THAT(started_, SizeIs(2));
}

TEST_F(RecoveryTest, JobsOfWhichTheCancelWasRequestedEnd) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(300));
  store_.HoldLoads(true);
  CancelIt(id, {0, 299});
  Restart();
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_CLIENT_CANCEL);
  EXPECT_EQ(ResultOf(id, 299).error().reason(), v1::REASON_CLIENT_CANCEL);
  EXPECT_THAT(Running(id), ElementsAre(1));
}

TEST_F(RecoveryTest, ABatchOfACallEndsWithItsServer) {
  options.pool = {0, 1};
  const std::string id = SubmitBoundToCall(Spec(2));
  Restart();
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_SERVER_SHUTDOWN);
  EXPECT_EQ(ResultOf(id, 1).error().reason(), v1::REASON_SERVER_SHUTDOWN);
  EXPECT_EQ(FinishOf(id).state(), v1::BATCH_STATE_CANCELLED);
  EXPECT_THAT(started_, SizeIs(1));
}

TEST_F(RecoveryTest, LogsAreOpenWhereTheyEnded) {
  const std::string id = Submit(Spec(3));
  Succeed(id, 0);
  Succeed(id, 1);
  Restart();
  EXPECT_EQ(opened_.at(id), 2) << "what comes after it is new";
  EXPECT_EQ(published_.at(id), 3);
}

TEST_F(RecoveryTest, QueuesCountWhatTheyTookOver) {
  options.pool = {0, 2};
  options.queues = {Queue("small", 0, 5)};
  const std::string id = Submit(Spec(
      4, "queue: 'small' job_defaults { retry_policy { max_attempts: 2 } max_lost_attempts: 0 }"));
  Fail(id, 0);
  options.pool = {0, 0};
  Restart();
  const QueueCounts counts = engine().CountAll().queues.at("small");
  EXPECT_EQ(counts.retrying, 1);
  EXPECT_EQ(counts.running, 0);
  EXPECT_EQ(counts.queued, 1) << "the two that ran were lost for good";
  EXPECT_EQ(engine().CountAll().batches_running, 1);
  EXPECT_EQ(Call(Spec(4, "queue: 'small'"))->batch().status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(Call(Spec(3, "queue: 'small'"))->batch().ok());
}

TEST_F(RecoveryTest, NoMoreRunsThanMayWhileLostAttemptsAreNotSettled) {
  options.shards_loaded_max = 0;
  const std::string id = Submit(Spec(300, "max_parallelism: 1"));
  Restart();
  EXPECT_THAT(Running(id), ElementsAre(0));
  EXPECT_EQ(Describe(id).counts().running(), 1);
}

TEST_F(RecoveryTest, ABatchOfAQueueThatIsNoLongerConfiguredGoesOn) {
  options.queues = {Queue("gone", 1)};
  const std::string id = Submit(Spec(3, "queue: 'gone'"));
  options.queues.clear();
  Restart();
  EXPECT_THAT(Running(id), SizeIs(3)) << "its limits are gone with it";
  EXPECT_EQ(Call(Spec(1, "queue: 'gone'"))->batch().status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(RecoveryTest, TheOptionsOfTheQueueAreThoseOfItsAcceptance) {
  QueueSettings queue;
  queue.job_defaults.set_max_lost_attempts(0);
  options.queues = {queue};
  const std::string id = Submit(Spec(1));
  options.queues.clear();
  Restart();
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_WORKER_LOST);
}

TEST_F(RecoveryTest, ARequestOfABatchThatRunsIsKnown) {
  const v1::BatchSpec spec = Spec(1);
  const auto first = Call(spec, "request");
  Restart();
  const auto again = Call(spec, "request");
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->batch()->id(), first->batch()->id());
  EXPECT_TRUE(absl::IsAlreadyExists(Call(Spec(2), "request")->batch().status()));
}

TEST_F(RecoveryTest, AFailurePolicyCountsWhatWasLostForGood) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(3,
                                     "failure_policy: FAILURE_POLICY_CANCEL_BATCH job_defaults { "
                                     "max_lost_attempts: 0 }"));
  Restart();
  EXPECT_EQ(FinishOf(id).failed(), 1);
  EXPECT_EQ(FinishOf(id).cancelled(), 2);
}

TEST_F(RecoveryTest, WhatWasLostIsToldToListeners) {
  const std::string id = Submit(Spec(1));
  interest = EventListener::Interest::kFailures;
  Restart();
  ASSERT_THAT(notices_, SizeIs(1));
  EXPECT_TRUE(notices_[0].failure);
}

TEST_F(RecoveryTest, ManyRestartsLeaveOneResultForEachJob) {
  options.pool = {0, 7};
  const std::string id = Submit(Spec(700, "job_defaults { max_lost_attempts: 100 }"));
  for (int i = 0; i < 40; ++i) {
    const auto running = Running(id);
    for (size_t j = 0; j + 2 < running.size(); ++j) Succeed(id, running[j]);
    store_.HoldCommits(i % 3 == 0);
    if (Runs(id, running.back())) Succeed(id, running.back());
    Restart(1s, i % 2);
  }
  SucceedAll(id);
  EXPECT_EQ(FinishOf(id).succeeded(), 700);
}

}  // namespace
}  // namespace jobrunner::engine
