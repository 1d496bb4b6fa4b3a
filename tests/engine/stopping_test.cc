// Cancels and deadlines.

#include "engine/engine_fixture.h"
#include "engine/limits.h"

namespace jobrunner::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kRetries[] =
    " job_defaults { retry_policy { max_attempts: 3 initial_backoff { seconds: 10 } "
    "max_backoff { seconds: 60 } jitter: 0 } }";

class StoppingTest : public EngineTest {
 protected:
  void ExpectEnded(const std::string& id, int32_t index, v1::JobState state, v1::Reason reason) {
    const v1::JobResult result = ResultOf(id, index);
    EXPECT_EQ(result.state(), state) << result.DebugString();
    EXPECT_EQ(result.error().reason(), reason) << result.DebugString();
  }
};

TEST_F(StoppingTest, CancelOfAQueuedJobEndsItAtOnce) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(2));
  auto answer = CancelIt(id, {1});
  EXPECT_TRUE(answer->batch().ok());
  ExpectEnded(id, 1, v1::JOB_STATE_CANCELLED, v1::REASON_CLIENT_CANCEL);
  EXPECT_EQ(ResultOf(id, 1).error().code(), 1);
  EXPECT_EQ(ResultOf(id, 1).error().message(), "enough");
  EXPECT_EQ(ResultOf(id, 1).attempts(), 0);
  Succeed(id, 0);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_FAILED)
      << "only a whole batch that was cancelled is CANCELLED";
}

TEST_F(StoppingTest, CancelOfARunningJobAsksWithItsGrace) {
  const std::string id = Submit(Spec(1));
  CancelIt(id, {0}, 7s);
  EXPECT_THAT(StopsOf(id, 0), ElementsAre(7s));
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RUNNING);
  Exit(id, 0, 0);
  ExpectEnded(id, 0, v1::JOB_STATE_CANCELLED, v1::REASON_CLIENT_CANCEL);
}

TEST_F(StoppingTest, ACancelledJobKeepsItsExitCodeAndOutput) {
  const std::string id = Submit(Spec(1));
  CancelIt(id);
  Outcome outcome;
  outcome.output = "so far";
  outcome.command = std::make_unique<CommandOutcome>();
  outcome.command->exit_code = 143;
  outcome.failure = std::make_unique<Failure>();
  End(id, 0, std::move(outcome));
  EXPECT_EQ(ResultOf(id, 0).output(), "so far");
  EXPECT_EQ(ResultOf(id, 0).exit_code(), 143);
}

TEST_F(StoppingTest, CancelOfAJobThatWaitsForItsRetryEndsIt) {
  const std::string id = Submit(Spec(1, kRetries));
  Fail(id, 0);
  CancelIt(id, {0});
  ExpectEnded(id, 0, v1::JOB_STATE_CANCELLED, v1::REASON_CLIENT_CANCEL);
  EXPECT_EQ(ResultOf(id, 0).attempts(), 1);
  Advance(20s);
  EXPECT_THAT(Running(id), IsEmpty());
}

TEST_F(StoppingTest, CancelOfADelayedJobEndsIt) {
  const std::string id = Submit(Jobs({"options { delay { seconds: 5 } }", ""}));
  CancelIt(id, {0});
  ExpectEnded(id, 0, v1::JOB_STATE_CANCELLED, v1::REASON_CLIENT_CANCEL);
  Succeed(id, 1);
  Advance(10s);
  EXPECT_THAT(started_, SizeIs(1));
}

TEST_F(StoppingTest, CancelOfAJobThatHasEndedChangesNothing) {
  const std::string id = Submit(Spec(2));
  Succeed(id, 0);
  EXPECT_TRUE(CancelIt(id, {0})->batch().ok());
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_SUCCEEDED);
  Succeed(id, 1);
  EXPECT_TRUE(CancelIt(id)->batch().ok());
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_SUCCEEDED);
}

TEST_F(StoppingTest, CancelOfABatchEndsItsJobsInEveryState) {
  options.pool = {0, 2};
  const std::string id = Submit(Spec(4, kRetries));
  Fail(id, 0);
  CancelIt(id, {}, 3s);
  EXPECT_EQ(Describe(id).cancel_requested(), true);
  ExpectEnded(id, 0, v1::JOB_STATE_CANCELLED, v1::REASON_CLIENT_CANCEL);
  ExpectEnded(id, 3, v1::JOB_STATE_CANCELLED, v1::REASON_CLIENT_CANCEL);
  EXPECT_THAT(StopsOf(id, 1), ElementsAre(3s));
  Succeed(id, 1);
  Fail(id, 2);
  ExpectEnded(id, 1, v1::JOB_STATE_CANCELLED, v1::REASON_CLIENT_CANCEL);
  ExpectEnded(id, 2, v1::JOB_STATE_CANCELLED, v1::REASON_CLIENT_CANCEL);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_CANCELLED);
  EXPECT_EQ(FinishOf(id).cancelled(), 4);
}

TEST_F(StoppingTest, FromTheRequestOnWaitingJobsReadAsCancelled) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(kJobsPerShardMax * (kShardsKeptParsedMax + 2)));
  store_.HoldLoads(true);
  auto answer = CancelIt(id);
  EXPECT_EQ(answer->batch()->counts().queued(), 0);
  const int32_t last = kJobsPerShardMax * (kShardsKeptParsedMax + 2) - 1;
  EXPECT_EQ(StateOf(id, last), v1::JOB_STATE_CANCELLED);
  EXPECT_FALSE(Status(id, last).has_wait());
  store_.HoldLoads(false);
  EXPECT_EQ(ResultOf(id, last).state(), v1::JOB_STATE_CANCELLED);
  Succeed(id, 0);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_CANCELLED);
}

TEST_F(StoppingTest, AJobWhoseCancelWasRequestedIsCountedAsItReads) {
  options.pool = {0, 1};
  const int32_t count = kJobsPerShardMax * (kShardsKeptParsedMax + 1);
  const std::string id = Submit(Spec(count));
  store_.HoldLoads(true);
  auto answer = CancelIt(id, {count - 1});
  EXPECT_EQ(answer->batch()->counts().cancelled(), 1);
  EXPECT_EQ(answer->batch()->counts().queued(), count - 2);
  EXPECT_EQ(StateOf(id, count - 1), v1::JOB_STATE_CANCELLED);
  store_.HoldLoads(false);
  CancelIt(id);
  Succeed(id, 0);
}

TEST_F(StoppingTest, OfTwoCancelsTheFirstIsTheReason) {
  options.pool = {0, 1};
  const int32_t count = kJobsPerShardMax * (kShardsKeptParsedMax + 1);
  const std::string id = Submit(Spec(count, "timeout { seconds: 1 }"));
  store_.HoldLoads(true);
  Advance(1s);
  CancelIt(id, {count - 1, 0});
  store_.HoldLoads(false);
  Succeed(id, 0);
  ExpectEnded(id, count - 1, v1::JOB_STATE_CANCELLED, v1::REASON_BATCH_TIMEOUT);
  ExpectEnded(id, 0, v1::JOB_STATE_CANCELLED, v1::REASON_BATCH_TIMEOUT);
}

TEST_F(StoppingTest, ASecondCancelMayShortenTheGraceNotLengthenIt) {
  const std::string id = Submit(Spec(1));
  CancelIt(id, {}, 10s);
  CancelIt(id, {}, 60s);
  Advance(1s);
  CancelIt(id, {}, 0s);
  EXPECT_THAT(StopsOf(id, 0), ElementsAre(10s, 0s));
  Fail(id, 0);
}

TEST_F(StoppingTest, CancelOfWhatIsNotThereIsRefused) {
  EXPECT_EQ(CancelIt("nothing")->batch().status().code(), absl::StatusCode::kNotFound);
  const std::string id = Submit(Spec(2));
  EXPECT_EQ(CancelIt(id, {0, 2})->batch().status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CancelIt(id, {-1})->batch().status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(StopsOf(id, 0), IsEmpty()) << "all or nothing";
}

TEST_F(StoppingTest, CancelActsAtOnceAndAnswersWhenItIsStored) {
  const std::string id = Submit(Spec(1));
  store_.HoldCommits(true);
  auto answer = CancelIt(id);
  EXPECT_THAT(StopsOf(id, 0), SizeIs(1));
  EXPECT_FALSE(answer->given());
  store_.HoldCommits(false);
  EXPECT_TRUE(answer->given());
  Fail(id, 0);
}

TEST_F(StoppingTest, ABatchThatIsCancelledBeforeItsAcceptanceIsStoredNeverRuns) {
  options.shards_loaded_max = 0;
  store_.HoldCommits(true);
  const std::string id = Submit(Spec(3));
  CancelIt(id);
  store_.HoldCommits(false);
  EXPECT_TRUE(failure_.ok()) << "a shard was asked for that was not stored: "
                             << failure_.ToString();
  EXPECT_THAT(started_, IsEmpty());
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_CANCELLED);
  EXPECT_THAT(Events(id), SizeIs(4));
}

TEST_F(StoppingTest, ManyCancelledBatchesDoNotLoadTheirShardsAllAtOnce) {
  options.pool = {0, 1};
  options.shards_loaded_max = 4;
  std::vector<std::string> ids;
  for (int i = 0; i < 40; ++i) ids.push_back(Submit(Spec(2)));
  store_.HoldLoads(true);
  for (const std::string& id : ids) CancelIt(id);
  EXPECT_LE(store_.loads_waiting(), 8U);
  store_.HoldLoads(false);
  Succeed(ids[0], 0);
  for (const std::string& id : ids) EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_CANCELLED);
}

TEST_F(StoppingTest, AMillionthOfTheJobsIsSweptEachStepAndAllInTheEnd) {
  options.pool = {0, 1};
  const int32_t count = 3 * kSweptJobsPerStepMax;
  const std::string id = Submit(Spec(count));
  CancelIt(id);
  Succeed(id, 0);
  EXPECT_EQ(FinishOf(id).cancelled(), count);
}

TEST_F(StoppingTest, AnAttemptsTimeoutStopsItAndTheJobIsRetried) {
  const std::string id = Submit(Spec(
      1,
      "job_defaults { timeout { seconds: 2 } grace_period { seconds: 1 } retry_policy { "
      "max_attempts: 2 initial_backoff { seconds: 1 } max_backoff { seconds: 1 } jitter: 0 } }"));
  Advance(2s - 1ms);
  EXPECT_THAT(StopsOf(id, 0), IsEmpty());
  Advance(1ms);
  EXPECT_THAT(StopsOf(id, 0), ElementsAre(1s));
  Succeed(id, 0);
  ASSERT_THAT(AttemptErrorsOf(id, 0), SizeIs(1));
  EXPECT_EQ(AttemptErrorsOf(id, 0)[0].error().reason(), v1::REASON_ATTEMPT_TIMEOUT);
  EXPECT_EQ(AttemptErrorsOf(id, 0)[0].error().code(), 4);
  Advance(1s);
  EXPECT_EQ(AssignmentOf(id, 0).attempt, 2);
  Advance(2s);
  Fail(id, 0);
  ExpectEnded(id, 0, v1::JOB_STATE_FAILED, v1::REASON_ATTEMPT_TIMEOUT);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_FAILED);
}

TEST_F(StoppingTest, AStartTimeoutEndsAJobThatHasNotStarted) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(2, "job_defaults { start_timeout { seconds: 3 } }"));
  Advance(3s);
  ExpectEnded(id, 1, v1::JOB_STATE_CANCELLED, v1::REASON_START_TIMEOUT);
  EXPECT_EQ(ResultOf(id, 1).error().code(), 4);
  EXPECT_THAT(StopsOf(id, 0), IsEmpty()) << "it has started";
  Succeed(id, 0);
}

TEST_F(StoppingTest, AStartTimeoutRunsFromTheEndOfTheDelay) {
  options.pool = {0, 1};
  const std::string id =
      Submit(Jobs({"", "options { delay { seconds: 5 } start_timeout { seconds: 1 } }"}));
  Advance(6s - 1ms);
  EXPECT_EQ(StateOf(id, 1), v1::JOB_STATE_QUEUED);
  Advance(1ms);
  ExpectEnded(id, 1, v1::JOB_STATE_CANCELLED, v1::REASON_START_TIMEOUT);
  Succeed(id, 0);
}

TEST_F(StoppingTest, AStartTimeoutDoesNotConcernARetry) {
  const std::string id =
      Submit(Spec(1,
                  "job_defaults { start_timeout { seconds: 3 } retry_policy { max_attempts: 2 "
                  "initial_backoff { seconds: 10 } } }"));
  Fail(id, 0);
  Advance(15s);
  EXPECT_TRUE(Runs(id, 0));
  Succeed(id, 0);
}

TEST_F(StoppingTest, ATotalTimeoutStopsARunningJob) {
  const std::string id =
      Submit(Spec(1, "job_defaults { total_timeout { seconds: 3 } timeout { seconds: 60 } }"));
  Advance(3s);
  EXPECT_THAT(StopsOf(id, 0), ElementsAre(5s));
  Succeed(id, 0);
  ExpectEnded(id, 0, v1::JOB_STATE_CANCELLED, v1::REASON_TOTAL_TIMEOUT);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_FAILED);
}

TEST_F(StoppingTest, ATotalTimeoutEndsAJobThatWaitsForItsRetry) {
  const std::string id =
      Submit(Spec(1,
                  "job_defaults { total_timeout { seconds: 5 } retry_policy { max_attempts: 9 "
                  "initial_backoff { seconds: 60 } max_backoff { seconds: 60 } } }"));
  Fail(id, 0);
  Advance(5s);
  ExpectEnded(id, 0, v1::JOB_STATE_CANCELLED, v1::REASON_TOTAL_TIMEOUT);
}

TEST_F(StoppingTest, ATotalTimeoutEndsADelayedJob) {
  const std::string id =
      Submit(Spec(2, "job_defaults { total_timeout { seconds: 5 } delay { seconds: 60 } }"));
  Advance(5s);
  ExpectEnded(id, 1, v1::JOB_STATE_CANCELLED, v1::REASON_TOTAL_TIMEOUT);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_FAILED);
}

TEST_F(StoppingTest, ABatchTimeoutEndsEveryJob) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(2, "timeout { seconds: 4 }"));
  Advance(4s);
  ExpectEnded(id, 1, v1::JOB_STATE_CANCELLED, v1::REASON_BATCH_TIMEOUT);
  EXPECT_THAT(StopsOf(id, 0), ElementsAre(5s));
  Fail(id, 0);
  ExpectEnded(id, 0, v1::JOB_STATE_CANCELLED, v1::REASON_BATCH_TIMEOUT);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_CANCELLED);
  EXPECT_EQ(FinishOf(id).error().code(), 4);
}

TEST_F(StoppingTest, ABatchTimeoutGivesEachJobItsOwnGrace) {
  const std::string id = Submit(Jobs({"options { grace_period { seconds: 60 } }", ""},
                                     "timeout { seconds: 4 } job_defaults { grace_period { } }"));
  Advance(4s);
  EXPECT_THAT(StopsOf(id, 0), ElementsAre(60s));
  EXPECT_THAT(StopsOf(id, 1), ElementsAre(0s));
  Fail(id, 0);
  Fail(id, 1);
}

TEST_F(StoppingTest, TheEarlierOfCallAndBatchDeadlineWins) {
  auto submission = MakeCall(Spec(1, "timeout { seconds: 9 }"));
  submission->call_deadline = clock_.Read().steady + 4s;
  const std::string id = submission->batch_id;
  Call(std::move(submission));
  Advance(4s);
  Fail(id, 0);
  ExpectEnded(id, 0, v1::JOB_STATE_CANCELLED, v1::REASON_CALL_DEADLINE);
  EXPECT_EQ(ResultOf(id, 0).error().code(), 4);
}

TEST_F(StoppingTest, ACallDeadlineInThePastAcceptsAndEndsTheBatch) {
  auto submission = MakeCall(Spec(2));
  submission->call_deadline = clock_.Read().steady - 1s;
  const std::string id = submission->batch_id;
  auto answer = Call(std::move(submission));
  EXPECT_TRUE(answer->batch().ok());
  EXPECT_THAT(started_, IsEmpty());
  ExpectEnded(id, 1, v1::JOB_STATE_CANCELLED, v1::REASON_CALL_DEADLINE);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_CANCELLED);
}

TEST_F(StoppingTest, TheLongestTimeoutsThereAreDoNotOverflow) {
  const std::string ten_years = "{ seconds: 315619200 }";
  const std::string id = Submit(
      Spec(1, "timeout " + ten_years + " job_defaults { timeout " + ten_years + " start_timeout " +
                  ten_years + " total_timeout " + ten_years + " grace_period " + ten_years + " }"));
  Advance(24h);
  EXPECT_THAT(StopsOf(id, 0), IsEmpty());
  Succeed(id, 0);
}

TEST_F(StoppingTest, AJumpOfTheWallClockFiresNoDeadlineAndDelaysNone) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(2, "timeout { seconds: 10 }"));
  clock_.JumpWall(48h);
  Advance(9s);
  EXPECT_EQ(StateOf(id, 1), v1::JOB_STATE_QUEUED);
  clock_.JumpWall(-72h);
  Advance(1s);
  ExpectEnded(id, 1, v1::JOB_STATE_CANCELLED, v1::REASON_BATCH_TIMEOUT);
  Fail(id, 0);
}

TEST_F(StoppingTest, ADeadlineThatPassesWhileTheStoreIsBusyFiresStill) {
  const std::string id = Submit(Spec(2, "timeout { seconds: 1 } max_parallelism: 1"));
  store_.HoldCommits(true);
  Advance(1s);
  EXPECT_THAT(StopsOf(id, 0), SizeIs(1));
  store_.HoldCommits(false);
  Fail(id, 0);
}

TEST_F(StoppingTest, ACancelAfterTheAttemptsTimeoutEndsTheJobForGood) {
  const std::string id =
      Submit(Spec(1, "job_defaults { timeout { seconds: 1 } retry_policy { max_attempts: 3 } }"));
  Advance(1s);
  CancelIt(id, {0}, 0s);
  Fail(id, 0);
  ExpectEnded(id, 0, v1::JOB_STATE_CANCELLED, v1::REASON_CLIENT_CANCEL);
}

TEST_F(StoppingTest, TheLastReaderThatGoesTakesTheBatchWithItAfterTenSeconds) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(2));
  Tell(DisconnectWatch{id, +1});
  Tell(DisconnectWatch{id, +1});
  Tell(DisconnectWatch{id, -1});
  Advance(60s);
  EXPECT_FALSE(Describe(id).cancel_requested());
  Tell(DisconnectWatch{id, -1});
  Advance(10s - 1ms);
  EXPECT_FALSE(Describe(id).cancel_requested());
  Advance(1ms);
  ExpectEnded(id, 1, v1::JOB_STATE_CANCELLED, v1::REASON_CLIENT_DISCONNECTED);
  Fail(id, 0);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_CANCELLED);
}

TEST_F(StoppingTest, AReaderThatComesBackInTimeKeepsTheBatch) {
  const std::string id = Submit(Spec(1));
  Tell(DisconnectWatch{id, +1});
  Tell(DisconnectWatch{id, -1});
  Advance(9s);
  Tell(DisconnectWatch{id, +1});
  Advance(60s);
  EXPECT_THAT(StopsOf(id, 0), IsEmpty());
  Succeed(id, 0);
}

}  // namespace
}  // namespace jobrunner::engine
