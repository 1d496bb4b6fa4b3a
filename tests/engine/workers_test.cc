// Remote workers: what they are given, what they hold, what becomes of it when they go.

#include "engine/proto_time.h"
#include "engine/workers_fixture.h"

namespace jobrunner::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(WorkersTest, AJobWaitsForAWorkerAndSaysSo) {
  const std::string id = Submit(Remote(1));
  EXPECT_EQ(RunningInAll(), 0) << "the server's own pool does not have the handler";
  EXPECT_EQ(Status(id, 0).wait().reason(), v1::WAIT_REASON_NO_WORKER);
  Join(1, 1);
  EXPECT_THAT(HeldBy(1), ElementsAre(0));
  Report(1, 0);
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ResultOf(id, 0).worker(), "camera 1");
  EXPECT_EQ(ResultOf(id, 0).output(), "done");
}

TEST_F(WorkersTest, AJobThatWaitsForAWorkerSaysSinceWhenAndAtWhichPlace) {
  const base::WallTime accepted = clock_.Read().wall;
  const std::string id = Submit(Jobs({kResize, "", kResize, kResize}));
  Advance(60s);
  for (const auto& [index, place] : {std::pair{0, 0}, {2, 1}, {3, 2}}) {
    const v1::Wait wait = Status(id, index).wait();
    EXPECT_EQ(wait.reason(), v1::WAIT_REASON_NO_WORKER);
    EXPECT_EQ(wait.since_time().seconds(), ToTimestamp(accepted).seconds());
    EXPECT_EQ(wait.place(), place);
  }
}

TEST_F(WorkersTest, AJobThatIsLostWaitsForAWorkerSinceThen) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  Tell(WorkerGone{1});
  Advance(9s);
  const base::WallTime lost = clock_.Read().wall;
  Advance(60s);
  const v1::Wait wait = Status(id, 0).wait();
  EXPECT_EQ(wait.reason(), v1::WAIT_REASON_NO_WORKER);
  EXPECT_EQ(wait.since_time().seconds(), ToTimestamp(lost).seconds());
}

TEST_F(WorkersTest, OfEachWorkerItIsKnownWhatItIs) {
  WorkerJoin join;
  join.worker = 1;
  join.name = "camera";
  join.sdk = "test 1.0";
  join.labels = {{"room", "cellar"}};
  join.handlers = {"resize"};
  join.slots = 3;
  const base::WallTime came = clock_.Read().wall;
  Tell(std::move(join));
  Submit(Remote(2));
  const auto workers = engine().CountAll().remote_workers;
  ASSERT_THAT(workers, SizeIs(1));
  EXPECT_EQ(workers[0].sdk, "test 1.0");
  EXPECT_EQ(workers[0].labels.at("room"), "cellar");
  EXPECT_EQ(workers[0].since, came);
  EXPECT_EQ(workers[0].held, 2);
  EXPECT_TRUE(workers[0].connected);
  Tell(WorkerGone{1});
  EXPECT_FALSE(engine().CountAll().remote_workers[0].connected);
}

TEST_F(WorkersTest, OutputIsShownOfJobsThatAskForItAlone) {
  Join(1, 10);
  const std::string silent = Submit(Remote(1));
  const std::string shown = Submit(Remote(1, "job_defaults { stream_output: true }"));
  const std::vector<Assignment> starts = remote_.starts;
  for (const Assignment& one : starts) Tell(OutputChunk{one.token, "a", "", false});
  EXPECT_THAT(Events(silent), IsEmpty());
  ASSERT_THAT(Events(shown), SizeIs(1));
  EXPECT_EQ(Events(shown)[0].output().output(), "a");
}

TEST_F(WorkersTest, AnAttemptsOutputIsCutAtItsMaximumOverAllStreamsOfItsWorker) {
  Join(1, 1);
  const std::string id = Submit(Remote(1, "job_defaults { stream_output: true }"));
  const AttemptToken token = Assigned(1, 0).token;
  Tell(OutputChunk{token, std::string(kOutputBytesMax - 1, 'a'), "", false});
  Tell(WorkerGone{1});
  Tell(ComesBack(2, 1, id, {0}));
  Tell(OutputChunk{token, "bc", "", false});
  Tell(OutputChunk{token, "d", "", false});
  ASSERT_THAT(Events(id), SizeIs(2));
  EXPECT_FALSE(Events(id)[0].output().truncated());
  EXPECT_EQ(Events(id)[1].output().output(), "b");
  EXPECT_TRUE(Events(id)[1].output().truncated());
}

TEST_F(WorkersTest, AWorkerHoldsNoMoreThanItsSlots) {
  const std::string id = Submit(Remote(5));
  Join(1, 2);
  EXPECT_THAT(HeldBy(1), ElementsAre(0, 1));
  EXPECT_EQ(Status(id, 2).wait().reason(), v1::WAIT_REASON_WORKER);
  Report(1, 0);
  EXPECT_THAT(HeldBy(1), ElementsAre(1, 2));
  Tell(WorkerResize{1, 4});
  EXPECT_THAT(HeldBy(1), ElementsAre(1, 2, 3, 4));
}

TEST_F(WorkersTest, WorkersShareTheWorkInTurns) {
  Join(1, 10);
  Join(2, 10);
  Submit(Remote(6));
  EXPECT_THAT(HeldBy(1), SizeIs(3));
  EXPECT_THAT(HeldBy(2), SizeIs(3));
}

TEST_F(WorkersTest, AWorkerGetsWhatItOffersAlone) {
  Join(1, 10, {"resize"});
  Join(2, 10, {"mail", "resize"});
  Submit(Jobs({"handler { name: \"mail\" }", "handler { name: \"mail\" }"}));
  EXPECT_THAT(HeldBy(1), IsEmpty());
  EXPECT_THAT(HeldBy(2), ElementsAre(0, 1));
}

TEST_F(WorkersTest, JobsThatWaitForAWorkerHoldUpNoOthersOfTheirBatch) {
  options.pool = {0, 2};
  const std::string id = Submit(Jobs({kResize, "", kResize, "", ""}));
  EXPECT_THAT(Running(id), ElementsAre(1, 3));
  Succeed(id, 1);
  EXPECT_THAT(Running(id), ElementsAre(3, 4));
  Join(1, 10);
  EXPECT_THAT(HeldBy(1), ElementsAre(0, 2));
}

TEST_F(WorkersTest, WhatIsPassedOverIsBounded) {
  std::vector<std::string> jobs(kPassedOverMax + 10, kResize);
  jobs.emplace_back();
  const std::string id = Submit(Jobs(jobs));
  EXPECT_THAT(Running(id), IsEmpty()) << "it stands behind too many that wait";
  Join(1, 100);
  EXPECT_THAT(Running(id), ElementsAre(kPassedOverMax + 10));
}

TEST_F(WorkersTest, LimitsHoldForRemoteJobsToo) {
  options.queues = {Queue("few", 3)};
  Join(1, 100);
  Submit(Remote(10, "max_parallelism: 2"));
  EXPECT_THAT(HeldBy(1), SizeIs(2));
  Submit(Remote(10, "queue: \"few\""));
  EXPECT_THAT(HeldBy(1), SizeIs(5));
}

TEST_F(WorkersTest, APausedQueueAssignsNothing) {
  Tell(PauseQueue{"default", true, [](absl::Status) {}});
  Submit(Remote(1));
  Join(1, 1);
  EXPECT_THAT(HeldBy(1), IsEmpty());
  Tell(PauseQueue{"default", false, [](absl::Status) {}});
  EXPECT_THAT(HeldBy(1), ElementsAre(0));
}

TEST_F(WorkersTest, AnOutcomeIsAcknowledgedOnceItIsStored) {
  Submit(Remote(1));
  Join(1, 1);
  const AttemptToken token = Assigned(1, 0).token;
  store_.HoldCommits(true);
  Report(1, token);
  EXPECT_THAT(remote_.acknowledgements, IsEmpty());
  store_.HoldCommits(false);
  ASSERT_THAT(remote_.acknowledgements, SizeIs(1));
  EXPECT_EQ(remote_.acknowledgements[0].token, token);
  EXPECT_TRUE(remote_.acknowledgements[0].accepted);
  Report(1, token);
  ASSERT_THAT(remote_.acknowledgements, SizeIs(2));
  EXPECT_FALSE(remote_.acknowledgements[1].accepted) << "the second time";
}

TEST_F(WorkersTest, ARefusalIsToldOnceWhatItRestsOnIsStored) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  store_.HoldCommits(true);
  CancelIt(id, {}, 0s);
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_CANCELLED);
  Report(1, 0);
  EXPECT_THAT(remote_.acknowledgements, IsEmpty());
  store_.HoldCommits(false);
  ASSERT_THAT(remote_.acknowledgements, SizeIs(1));
  EXPECT_FALSE(remote_.acknowledgements[0].accepted);
}

TEST_F(WorkersTest, AnotherWorkersOutcomeIsRefused) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  Join(2, 1);
  const WorkerId holder = HeldBy(1).empty() ? 2 : 1;
  const WorkerId other = 3 - holder;
  Report(other, Assigned(holder, 0).token);
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RUNNING);
  ASSERT_THAT(remote_.acknowledgements, SizeIs(1));
  EXPECT_FALSE(remote_.acknowledgements[0].accepted);
}

TEST_F(WorkersTest, ASilentWorkerLosesItsAttemptsWithItsLease) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  const AttemptToken token = Assigned(1, 0).token;
  Advance(8s);
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RUNNING);
  EXPECT_THAT(remote_.checks, SizeIs(2)) << "one every third of the lease";
  Join(2, 1);
  Advance(1s);
  ASSERT_THAT(AttemptErrorsOf(id, 0), SizeIs(1));
  EXPECT_EQ(AttemptErrorsOf(id, 0)[0].error().reason(), v1::REASON_WORKER_LOST);
  ASSERT_THAT(remote_.ends, SizeIs(1));
  EXPECT_EQ(remote_.ends[0].worker, 1);
  EXPECT_THAT(HeldBy(2), ElementsAre(0)) << "it runs elsewhere";
  Report(1, token);
  EXPECT_FALSE(remote_.acknowledgements.back().accepted) << "too late";
  Report(2, 0);
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ResultOf(id, 0).attempts(), 2);
}

// The worker drops all that it holds, outcomes too.
TEST_F(WorkersTest, AWorkerIsToldThatItsLeaseIsOverOnceThatIsStored) {
  Submit(Remote(2));
  Join(1, 2);
  store_.HoldCommits(true);
  Report(1, 0);
  Advance(9s);
  EXPECT_THAT(remote_.ends, IsEmpty());
  Advance(20s);
  EXPECT_THAT(remote_.ends, IsEmpty());
  store_.HoldCommits(false);
  EXPECT_THAT(remote_.ends, SizeIs(1));
}

TEST_F(WorkersTest, AWorkerThatAnswersKeepsItsAttempts) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  for (int i = 0; i < 20; ++i) {
    Advance(3s);
    Answer(1, {Assigned(1, 0).token});
  }
  EXPECT_THAT(AttemptErrorsOf(id, 0), IsEmpty());
  EXPECT_THAT(remote_.ends, IsEmpty());
}

// Each answer takes longer than it is to the next check, and less than a lease.
TEST_F(WorkersTest, AWorkerWhoseAnswersAreLateKeepsItsAttempts) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  Advance(5s);
  for (size_t answered = 0; answered < 10; ++answered) {
    Advance(3s);
    ASSERT_GT(remote_.checks.size(), answered + 1);
    Tell(WorkerAnswer{1, remote_.checks[answered].number, {Assigned(1, 0).token}});
  }
  EXPECT_THAT(AttemptErrorsOf(id, 0), IsEmpty());
  EXPECT_THAT(remote_.ends, IsEmpty());
}

TEST_F(WorkersTest, AnAnswerThatComesTwiceSaysNothingNew) {
  Submit(Remote(1));
  Join(1, 1);
  Advance(3s);
  const int64_t first = remote_.checks.back().number;
  Tell(WorkerAnswer{1, first, {Assigned(1, 0).token}});
  Advance(8s);
  Tell(WorkerAnswer{1, first, {Assigned(1, 0).token}});
  Advance(1s);
  EXPECT_THAT(remote_.ends, SizeIs(1));
}

TEST_F(WorkersTest, WhatAWorkerDoesNotHoldAnyMoreIsLostAtOnce) {
  const std::string id = Submit(Remote(2));
  Join(1, 2);
  Advance(3s);
  Answer(1, {Assigned(1, 1).token});
  EXPECT_THAT(AttemptErrorsOf(id, 0), SizeIs(1));
  EXPECT_THAT(AttemptErrorsOf(id, 1), IsEmpty());
}

TEST_F(WorkersTest, WhatWasAssignedAfterTheCheckIsNotMissing) {
  Join(1, 2);
  Advance(3s);
  const std::string id = Submit(Remote(1));
  Answer(1, {});
  EXPECT_THAT(AttemptErrorsOf(id, 0), IsEmpty());
}

TEST_F(WorkersTest, ACheckNamesWhatIsAssignedInItsStep) {
  Submit(Remote(2));
  Join(1, 1);
  // When the check is due.
  clock_.Advance(3s);
  Tell(WorkerResize{1, 2});
  ASSERT_THAT(remote_.checks, SizeIs(1));
  EXPECT_THAT(remote_.checks[0].held, ElementsAre(Assigned(1, 0).token, Assigned(1, 1).token));
}

TEST_F(WorkersTest, WhatBeginsAfterACheckIsNotMissingThoughItsStartWasStoredBefore) {
  options.durable = true;
  const std::string id = Submit(Remote(1, "job_defaults { max_lost_attempts: 0 }"));
  store_.HoldCommits(true);
  Join(1, 1);
  Advance(3s);
  store_.HoldCommits(false);
  EXPECT_THAT(remote_.starts, SizeIs(1));
  Answer(1, {});
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RUNNING);
}

TEST_F(WorkersTest, AWorkerMayComeBackWithinItsLease) {
  const std::string id = Submit(Remote(2));
  Join(1, 2);
  Tell(WorkerGone{1});
  Advance(8s);
  Tell(ComesBack(2, 1, id, {0, 1}));
  ASSERT_THAT(remote_.welcomes, SizeIs(2));
  EXPECT_THAT(remote_.welcomes[1].claims, SizeIs(2));
  Report(2, Assigned(1, 0).token);
  Report(2, Assigned(1, 1).token);
  EXPECT_EQ(FinishOf(id).succeeded(), 2);
  EXPECT_EQ(ResultOf(id, 0).attempts(), 1);
}

TEST_F(WorkersTest, WhatItComesBackWithoutIsLost) {
  const std::string id = Submit(Remote(2));
  Join(1, 2);
  Tell(WorkerGone{1});
  Tell(ComesBack(2, 1, id, {1}));
  EXPECT_THAT(AttemptErrorsOf(id, 0), SizeIs(1));
  EXPECT_THAT(AttemptErrorsOf(id, 1), IsEmpty());
  EXPECT_THAT(HeldBy(2), ElementsAre(0)) << "and runs again";
}

// The worker drops what the welcome does not name.
TEST_F(WorkersTest, AWorkerIsToldWhatIsNoLongerItsOwnOnceThatIsStored) {
  const std::string id = Submit(Remote(2));
  Join(1, 2);
  store_.HoldCommits(true);
  Report(1, 0);
  Tell(WorkerGone{1});
  Tell(ComesBack(2, 1, id, {0, 1}));
  EXPECT_THAT(remote_.welcomes, SizeIs(1)) << "that of the first session";
  store_.HoldCommits(false);
  ASSERT_THAT(remote_.welcomes, SizeIs(2));
  ASSERT_THAT(remote_.welcomes[1].claims, SizeIs(1));
  EXPECT_EQ(remote_.welcomes[1].claims[0].token, Assigned(1, 1).token);
}

TEST_F(WorkersTest, AWelcomeThatTakesNothingAwayWaitsForNoStore) {
  const std::string id = Submit(Remote(2));
  Join(1, 2);
  store_.HoldCommits(true);
  Report(1, 0);
  Tell(WorkerGone{1});
  Tell(ComesBack(2, 1, id, {1}));
  EXPECT_THAT(remote_.welcomes, SizeIs(2));
  Join(3, 1);
  EXPECT_THAT(remote_.welcomes, SizeIs(3));
}

TEST_F(WorkersTest, AWorkerThatWaitsForItsWelcomeKeepsItsLease) {
  const std::string id = Submit(Remote(2));
  Join(1, 2);
  store_.HoldCommits(true);
  Report(1, 0);
  Tell(WorkerGone{1});
  Tell(ComesBack(2, 1, id, {0, 1}));
  Advance(20s);
  EXPECT_THAT(remote_.ends, IsEmpty());
  store_.HoldCommits(false);
  Advance(8s);
  EXPECT_EQ(StateOf(id, 1), v1::JOB_STATE_RUNNING);
  Advance(1s);
  EXPECT_THAT(remote_.ends, SizeIs(1)) << "it did not answer after its welcome";
}

TEST_F(WorkersTest, AWorkerThatGoesBeforeItsWelcomeHasALeaseToComeBack) {
  const std::string id = Submit(Remote(2));
  Join(1, 2);
  store_.HoldCommits(true);
  Report(1, 0);
  Tell(WorkerGone{1});
  Tell(ComesBack(2, 1, id, {0, 1}));
  Advance(20s);
  Tell(WorkerGone{2});
  store_.HoldCommits(false);
  EXPECT_THAT(remote_.welcomes, SizeIs(1));
  Advance(8s);
  EXPECT_EQ(StateOf(id, 1), v1::JOB_STATE_RUNNING);
  Advance(1s);
  EXPECT_THAT(AttemptErrorsOf(id, 1), SizeIs(1));
}

TEST_F(WorkersTest, ASessionIsTakenOverWhileItsStreamStillStands) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  Tell(ComesBack(2, 1, id, {0}));
  ASSERT_THAT(remote_.ends, SizeIs(1));
  EXPECT_EQ(remote_.ends[0].worker, 1);
  Tell(WorkerGone{1});
  Report(2, Assigned(1, 0).token);
  EXPECT_EQ(FinishOf(id).succeeded(), 1);
}

TEST_F(WorkersTest, AWorkerThatComesBackTooLateIsTakenWithoutWhatItHeld) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  Tell(WorkerGone{1});
  Advance(9s);
  EXPECT_THAT(AttemptErrorsOf(id, 0), SizeIs(1));
  Tell(ComesBack(2, 1, id, {0}));
  EXPECT_THAT(remote_.welcomes.back().claims, IsEmpty());
  EXPECT_THAT(HeldBy(2), ElementsAre(0)) << "as an attempt of its own";
  EXPECT_EQ(Assigned(2, 0).attempt, 2);
}

TEST_F(WorkersTest, APoisonJobStopsAfterItsLostAttempts) {
  const std::string id = Submit(Remote(1, "job_defaults { max_lost_attempts: 2 }"));
  for (WorkerId worker = 1; worker <= 3; ++worker) {
    Join(worker, 1);
    EXPECT_THAT(HeldBy(worker), ElementsAre(0));
    Tell(WorkerGone{worker});
    Advance(9s);
  }
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_WORKER_LOST);
  EXPECT_EQ(ResultOf(id, 0).attempts(), 3);
}

TEST_F(WorkersTest, ACancelAsksTheWorkerAndWaitsForItsGrace) {
  const std::string id = Submit(Remote(2));
  Join(1, 2);
  CancelIt(id, {}, 2s);
  ASSERT_THAT(remote_.stops, SizeIs(2));
  EXPECT_EQ(remote_.stops[0].grace, 2s);
  Report(1, 0);
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_CANCELLED);
  Advance(2s);
  EXPECT_EQ(ResultOf(id, 1).state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(FinishOf(id).cancelled(), 2);
}

TEST_F(WorkersTest, WhatDoesNotStopHoldsItsSlotUntilTheWorkerLetsGo) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  const AttemptToken stuck = Assigned(1, 0).token;
  CancelIt(id, {}, 0s);
  Submit(Remote(1));
  EXPECT_THAT(remote_.starts, SizeIs(1));
  Advance(3s);
  Answer(1, {stuck});
  EXPECT_THAT(remote_.starts, SizeIs(1)) << "it still runs it";
  Advance(3s);
  Answer(1, {});
  EXPECT_THAT(remote_.starts, SizeIs(2));
}

TEST_F(WorkersTest, AnAttemptsTimeoutStopsItAtTheWorker) {
  const std::string id = Submit(Remote(1, "job_defaults { timeout { seconds: 2 } }"));
  Join(1, 1);
  EXPECT_EQ(Assigned(1, 0).deadline, clock_.Read().steady + 2s);
  Advance(2s);
  ASSERT_THAT(remote_.stops, SizeIs(1));
  Report(1, 0);
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_ATTEMPT_TIMEOUT);
}

TEST_F(WorkersTest, AStopIsToldAgainToAWorkerThatComesBack) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  Tell(WorkerGone{1});
  CancelIt(id, {}, 5s);
  Advance(2s);
  Tell(ComesBack(2, 1, id, {0}));
  ASSERT_THAT(remote_.stops, SizeIs(2));
  EXPECT_EQ(remote_.stops[1].at, 2);
  EXPECT_EQ(remote_.stops[1].grace, 3s) << "what is left of it";
}

TEST_F(WorkersTest, AWorkerThatLeavesFinishesAndGetsNothingMore) {
  const std::string id = Submit(Remote(3));
  Join(1, 2);
  Tell(WorkerLeaving{1, std::nullopt});
  Report(1, 0);
  EXPECT_THAT(HeldBy(1), ElementsAre(1));
  Report(1, 1);
  Tell(WorkerGone{1});
  EXPECT_THAT(engine().CountAll().remote_workers, IsEmpty());
  EXPECT_EQ(StateOf(id, 2), v1::JOB_STATE_QUEUED);
}

TEST_F(WorkersTest, WhatIsUnderWayToAWorkerThatLeavesIsPutBackAtOnceAndCountsForNothing) {
  const std::string id = Submit(Remote(2, "job_defaults { max_lost_attempts: 0 }"));
  Join(1, 2);
  Tell(WorkerLeaving{1, {{Assigned(1, 0).token}}});
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(StateOf(id, 1), v1::JOB_STATE_QUEUED);
  EXPECT_THAT(Events(id), IsEmpty());
  Join(2, 2);
  EXPECT_THAT(HeldBy(2), ElementsAre(1));
  EXPECT_EQ(Assigned(2, 1).attempt, 1);
  // Should the first one have begun it all the same, it has no say.
  Report(1, 1);
  EXPECT_FALSE(remote_.acknowledgements.back().accepted);
  Report(1, 0);
  Report(2, Assigned(2, 1).token);
  EXPECT_EQ(FinishOf(id).succeeded(), 2);
  EXPECT_EQ(Status(id, 1).lost_attempts(), 0);
}

TEST_F(WorkersTest, WhatIsUnderWayToAWorkerThatLeavesAndIsCancelledEndsAtOnce) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  CancelIt(id, {}, 3600s);
  Tell(WorkerLeaving{1, std::vector<AttemptToken>()});
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(FinishOf(id).cancelled(), 1);
}

TEST_F(WorkersTest, WhatTimedOutOnItsWayToAWorkerThatLeavesIsPutBack) {
  const std::string id = Submit(Remote(1, "job_defaults { timeout { seconds: 2 } }"));
  Join(1, 1);
  Advance(2s);
  ASSERT_THAT(remote_.stops, SizeIs(1));
  Tell(WorkerLeaving{1, std::vector<AttemptToken>()});
  Join(2, 1);
  Report(2, Assigned(2, 0).token);
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ResultOf(id, 0).attempts(), 1);
}

TEST_F(WorkersTest, AServerThatStoodStillGivesItsWorkersAnotherLease) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  OverSleep(60s);
  EXPECT_THAT(AttemptErrorsOf(id, 0), IsEmpty());
  Answer(1, {Assigned(1, 0).token});
  Advance(8s);
  EXPECT_THAT(AttemptErrorsOf(id, 0), IsEmpty());
}

TEST_F(WorkersTest, AWorkerThatStaysAwayLosesItsAttemptsWithItsLease) {
  const std::string id = Submit(Remote(1));
  Join(1, 1);
  Tell(WorkerGone{1});
  Advance(9s);
  EXPECT_THAT(AttemptErrorsOf(id, 0), SizeIs(1));
}

}  // namespace
}  // namespace jobrunner::engine
