// What the end of an attempt means.

#include "engine/engine_fixture.h"
#include "engine/limits.h"

namespace jobrunner::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kRetries[] =
    "job_defaults { retry_policy { max_attempts: 3 initial_backoff { seconds: 1 } "
    "max_backoff { seconds: 60 } jitter: 0 } }";

class OutcomesTest : public EngineTest {};

TEST_F(OutcomesTest, AResultHasWhatTheHandlerReturned) {
  const std::string id = Submit(Jobs({"key: 'k'"}));
  Outcome outcome;
  outcome.output = "done";
  outcome.worker = 3;
  outcome.run_time = 250ms;
  End(id, 0, std::move(outcome));
  const v1::JobResult result = ResultOf(id, 0);
  EXPECT_EQ(result.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(result.output(), "done");
  EXPECT_EQ(result.output_bytes(), 4);
  EXPECT_EQ(result.worker(), "worker 3");
  EXPECT_EQ(result.attempts(), 1);
  EXPECT_EQ(result.run_time().nanos(), 250'000'000);
  EXPECT_FALSE(result.has_error());
  EXPECT_FALSE(result.has_usage());
  EXPECT_EQ(Events(id)[0].job_key(), "k");
}

TEST_F(OutcomesTest, AResultHasWhatTheCommandDid) {
  const std::string id = Submit(Spec(1));
  Outcome outcome;
  outcome.output = "out";
  outcome.command = std::make_unique<CommandOutcome>();
  outcome.command->error_output = "err";
  outcome.command->signal = 9;
  outcome.command->output_bytes = 100;
  outcome.command->output_omitted = 97;
  outcome.command->user_time = 2s;
  outcome.command->max_resident_bytes = 4096;
  outcome.failure = std::make_unique<Failure>();
  outcome.failure->reason = v1::REASON_SIGNAL;
  End(id, 0, std::move(outcome));
  const v1::JobResult result = ResultOf(id, 0);
  EXPECT_EQ(result.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(result.error().reason(), v1::REASON_SIGNAL);
  EXPECT_EQ(result.error().code(), 2);
  EXPECT_EQ(result.error_output(), "err");
  EXPECT_EQ(result.signal(), 9);
  EXPECT_EQ(result.output_bytes(), 100);
  EXPECT_EQ(result.output_omitted(), 97);
  EXPECT_TRUE(result.output_truncated());
  EXPECT_EQ(result.usage().user_time().seconds(), 2);
  EXPECT_EQ(result.usage().max_resident_bytes(), 4096);
}

TEST_F(OutcomesTest, AResultHasWhatTheHttpServerAnswered) {
  const std::string id = Submit(Spec(1));
  Outcome outcome;
  outcome.output = "body";
  outcome.http = std::make_unique<HttpOutcome>();
  outcome.http->output_truncated = true;
  outcome.http->response.set_status(404);
  outcome.http->response.add_headers()->set_name("Server");
  outcome.failure = std::make_unique<Failure>();
  outcome.failure->reason = v1::REASON_HTTP_STATUS;
  End(id, 0, std::move(outcome));
  const v1::JobResult result = ResultOf(id, 0);
  EXPECT_EQ(result.error().reason(), v1::REASON_HTTP_STATUS);
  EXPECT_EQ(result.http().status(), 404);
  EXPECT_EQ(result.http().headers(0).name(), "Server");
  EXPECT_EQ(result.output(), "body");
  EXPECT_TRUE(result.output_truncated());
}

TEST_F(OutcomesTest, ARetryDoesNotComeBeforeTheTimeThatTheFailureSays) {
  const std::string id = Submit(Spec(1, kRetries));
  Outcome outcome;
  outcome.http = std::make_unique<HttpOutcome>();
  outcome.http->response.set_status(503);
  outcome.failure = std::make_unique<Failure>();
  outcome.failure->retry_after = 90s;
  End(id, 0, std::move(outcome));
  EXPECT_EQ(AttemptErrorsOf(id, 0).at(0).http_status(), 503);
  Advance(90s - 1ms);
  EXPECT_FALSE(Runs(id, 0));
  Advance(1ms);
  EXPECT_TRUE(Runs(id, 0));
}

TEST_F(OutcomesTest, ALongerBackoffIsNotShortenedByWhatTheFailureSays) {
  const std::string id = Submit(Spec(1, kRetries));
  Failure failure;
  failure.retry_after = 1ms;
  Fail(id, 0, failure);
  Advance(1s - 1ms);
  EXPECT_FALSE(Runs(id, 0));
  Advance(1ms);
  EXPECT_TRUE(Runs(id, 0));
}

TEST_F(OutcomesTest, WithoutAPolicyAFailureIsFinal) {
  const std::string id = Submit(Spec(2));
  Fail(id, 0);
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_FAILED);
  Succeed(id, 1);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_FAILED);
  EXPECT_THAT(AttemptErrorsOf(id, 0), IsEmpty());
}

TEST_F(OutcomesTest, EachFailureButTheLastIsAnAttemptError) {
  const std::string id = Submit(Spec(1, kRetries));
  Fail(id, 0, Failed(13, "first"));
  ASSERT_THAT(AttemptErrorsOf(id, 0), SizeIs(1));
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RETRYING);
  EXPECT_EQ(Status(id, 0).wait().reason(), v1::WAIT_REASON_BACKOFF);
  Advance(1s - 1ms);
  EXPECT_THAT(Running(id), IsEmpty());
  Advance(1ms);
  EXPECT_EQ(AssignmentOf(id, 0).attempt, 2);
  Fail(id, 0, Failed(2, "second"));
  Advance(2s - 1ms);
  EXPECT_THAT(Running(id), IsEmpty());
  Advance(1ms);
  Fail(id, 0, Failed(2, "third"));
  const auto errors = AttemptErrorsOf(id, 0);
  ASSERT_THAT(errors, SizeIs(2));
  EXPECT_EQ(errors[0].attempt(), 1);
  EXPECT_EQ(errors[0].error().message(), "first");
  EXPECT_EQ(errors[0].error().code(), 13);
  EXPECT_TRUE(errors[0].will_retry());
  EXPECT_TRUE(errors[0].has_next_attempt_time());
  EXPECT_EQ(errors[1].error().message(), "second");
  EXPECT_EQ(ResultOf(id, 0).error().message(), "third");
  EXPECT_EQ(ResultOf(id, 0).attempts(), 3);
}

TEST_F(OutcomesTest, ARetryMaySucceed) {
  const std::string id = Submit(Spec(1, kRetries));
  Fail(id, 0);
  Advance(1s);
  Succeed(id, 0);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_SUCCEEDED);
  EXPECT_EQ(ResultOf(id, 0).attempts(), 2);
}

TEST_F(OutcomesTest, AJobThatWaitsForItsRetryHoldsNoSlot) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(2, kRetries));
  Fail(id, 0);
  EXPECT_THAT(Running(id), ElementsAre(1));
}

TEST_F(OutcomesTest, AListOfCodesNamesWhatIsRetried) {
  const std::string id =
      Submit(Spec(3, "job_defaults { retry_policy { max_attempts: 5 retryable_codes: [14, 4] } }"));
  Fail(id, 0, Failed(14));
  Fail(id, 1, Failed(13));
  // What a list names is retried even if the handler thought otherwise.
  Fail(id, 2, FailedFinally(14));
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RETRYING);
  EXPECT_EQ(StateOf(id, 1), v1::JOB_STATE_FAILED);
  EXPECT_EQ(StateOf(id, 2), v1::JOB_STATE_RETRYING);
}

TEST_F(OutcomesTest, AListOfExitCodesNamesWhatIsRetried) {
  const std::string id =
      Submit(Spec(2, "job_defaults { retry_policy { max_attempts: 5 retryable_exit_codes: 75 } }"));
  Exit(id, 0, 75);
  Exit(id, 1, 1);
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RETRYING);
  EXPECT_EQ(StateOf(id, 1), v1::JOB_STATE_FAILED);
  EXPECT_EQ(AttemptErrorsOf(id, 0)[0].exit_code(), 75);
}

TEST_F(OutcomesTest, AFinalFailureIsNotRetried) {
  const std::string id = Submit(Spec(1, kRetries));
  Fail(id, 0, FailedFinally());
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_FAILED);
}

TEST_F(OutcomesTest, ACriticalErrorIsNotRetriedAndCancelsTheBatch) {
  options.pool = {0, 2};
  const std::string id = Submit(Spec(3, kRetries));
  Fail(id, 0, FailedCritically());
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_FAILED);
  EXPECT_TRUE(ResultOf(id, 0).error().critical());
  EXPECT_EQ(ResultOf(id, 2).error().reason(), v1::REASON_CRITICAL_ERROR);
  EXPECT_EQ(ResultOf(id, 2).error().code(), 1);
  EXPECT_THAT(StopsOf(id, 1), ElementsAre(5s));
  Succeed(id, 1);
  EXPECT_EQ(ResultOf(id, 1).state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(ResultOf(id, 1).error().reason(), v1::REASON_CRITICAL_ERROR);
  // It ended early through a job of its own.
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_FAILED);
  EXPECT_EQ(FinishOf(id).error().reason(), v1::REASON_CRITICAL_ERROR);
}

TEST_F(OutcomesTest, UnderCancelBatchTheFirstFailureForGoodCancelsTheRest) {
  options.pool = {0, 1};
  const std::string id =
      Submit(Spec(3, std::string("failure_policy: FAILURE_POLICY_CANCEL_BATCH ") + kRetries));
  Fail(id, 0);
  EXPECT_THAT(Running(id), ElementsAre(1)) << "a failure that is retried cancels nothing";
  Fail(id, 1, FailedFinally());
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_FAILURE_POLICY);
  EXPECT_EQ(ResultOf(id, 2).error().reason(), v1::REASON_FAILURE_POLICY);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_FAILED);
}

TEST_F(OutcomesTest, AJobThatItsOwnDeadlineEndsCountsForTheFailurePolicy) {
  options.pool = {0, 1};
  const std::string id = Submit(Jobs({"", "options { start_timeout { seconds: 1 } }", ""},
                                     "failure_policy: FAILURE_POLICY_CANCEL_BATCH"));
  Advance(1s);
  EXPECT_EQ(ResultOf(id, 1).error().reason(), v1::REASON_START_TIMEOUT);
  EXPECT_EQ(ResultOf(id, 2).error().reason(), v1::REASON_FAILURE_POLICY);
  EXPECT_THAT(StopsOf(id, 0), SizeIs(1));
  Succeed(id, 0);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_FAILED);
}

TEST_F(OutcomesTest, ALostAttemptRunsAgainAndDoesNotCountAgainstMaxAttempts) {
  const std::string id = Submit(Spec(1));
  Lose(id, 0);
  EXPECT_TRUE(Runs(id, 0)) << "at once";
  EXPECT_EQ(AssignmentOf(id, 0).attempt, 2);
  ASSERT_THAT(AttemptErrorsOf(id, 0), SizeIs(1));
  EXPECT_EQ(AttemptErrorsOf(id, 0)[0].error().reason(), v1::REASON_WORKER_LOST);
  EXPECT_EQ(Status(id, 0).lost_attempts(), 1);
  Succeed(id, 0);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_SUCCEEDED);
}

TEST_F(OutcomesTest, AJobIsLostForGoodAfterThreeMoreThanOne) {
  const std::string id = Submit(Spec(1));
  for (int i = 0; i < 4; ++i) Lose(id, 0);
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_WORKER_LOST);
  EXPECT_EQ(ResultOf(id, 0).error().code(), 14);
  EXPECT_EQ(ResultOf(id, 0).attempts(), 4);
}

TEST_F(OutcomesTest, AtMostOnceMeansThatALostAttemptIsTheLast) {
  const std::string id = Submit(Spec(1, "job_defaults { max_lost_attempts: 0 }"));
  Lose(id, 0);
  EXPECT_EQ(ResultOf(id, 0).error().reason(), v1::REASON_WORKER_LOST);
}

TEST_F(OutcomesTest, LostAttemptsLeaveAllOfMaxAttempts) {
  const std::string id = Submit(Spec(1, kRetries));
  Lose(id, 0);
  Fail(id, 0);
  Advance(1s);
  Lose(id, 0);
  Fail(id, 0);
  Advance(2s);
  Fail(id, 0);
  EXPECT_EQ(ResultOf(id, 0).attempts(), 5);
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_FAILED);
}

TEST_F(OutcomesTest, ALateOutcomeIsRefused) {
  const std::string id = Submit(Spec(1, kRetries));
  const AttemptToken token = AssignmentOf(id, 0).token;
  Fail(id, 0);
  Advance(1s);
  Outcome late;
  late.token = token;
  Tell(std::move(late));
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(engine().CountAll().outcomes_refused, 1);
  Succeed(id, 0);
}

TEST_F(OutcomesTest, AnOutcomeOfAnotherEpochIsRefused) {
  options.epoch = 7;
  const std::string id = Submit(Spec(1));
  Outcome old;
  old.token = AssignmentOf(id, 0).token;
  old.token.epoch = 6;
  Tell(std::move(old));
  EXPECT_EQ(StateOf(id, 0), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(engine().CountAll().outcomes_refused, 1);
}

TEST_F(OutcomesTest, AnAbandonedHandlerHoldsItsSlotUntilItReturns) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(2));
  CancelIt(id, {0}, 1s);
  const AttemptToken token = AssignmentOf(id, 0).token;
  Abandon(id, 0);
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_CANCELLED);
  EXPECT_THAT(Running(id), IsEmpty());
  EXPECT_EQ(engine().CountAll().slots_lost, 1);
  Tell(SlotReturned{token});
  EXPECT_EQ(engine().CountAll().slots_lost, 0);
  EXPECT_THAT(Running(id), ElementsAre(1));
}

TEST_F(OutcomesTest, AResultThatIsTooLargeFailsTheJob) {
  const std::string id = Submit(Spec(2));
  Succeed(id, 0, std::string(kOutputBytesMax, 'x'));
  Succeed(id, 1, std::string(kOutputBytesMax + 1, 'x'));
  EXPECT_EQ(ResultOf(id, 0).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ResultOf(id, 1).state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(ResultOf(id, 1).error().code(), 8);
}

TEST_F(OutcomesTest, AFailureStaysWhatItIsThoughItsOutputIsTooLarge) {
  const std::string id = Submit(Spec(2));
  Outcome outcome;
  outcome.output = std::string(kOutputBytesMax + 1, 'x');
  outcome.failure = std::make_unique<Failure>();
  outcome.failure->critical = true;
  End(id, 0, std::move(outcome));
  EXPECT_TRUE(ResultOf(id, 0).error().critical());
  EXPECT_THAT(StopsOf(id, 1), SizeIs(1));
}

TEST_F(OutcomesTest, AnErrorsMessageIsCutAndValid) {
  const std::string id = Submit(Spec(1));
  Fail(id, 0, Failed(2, "\xff" + std::string(2 * kErrorMessageBytesMax, 'x')));
  EXPECT_LE(ResultOf(id, 0).error().message().size(), size_t{kErrorMessageBytesMax});
}

TEST_F(OutcomesTest, OutputAndProgressAreEventsInTheirOrder) {
  const std::string id = Submit(Spec(1));
  const AttemptToken token = AssignmentOf(id, 0).token;
  Tell(OutputChunk{token, "a", "b", false});
  Tell(ProgressReport{token, 1.5, "half\xff"});
  Succeed(id, 0);
  const auto events = Events(id);
  ASSERT_THAT(events, SizeIs(4));
  EXPECT_EQ(events[0].output().output(), "a");
  EXPECT_EQ(events[0].output().error_output(), "b");
  EXPECT_EQ(events[0].output().attempt(), 1);
  EXPECT_EQ(events[1].progress().fraction(), 1.0);
  EXPECT_TRUE(events[2].has_result());
  EXPECT_TRUE(events[3].has_batch_finished());
}

TEST_F(OutcomesTest, OutputOfAnAttemptThatHasEndedIsDropped) {
  const std::string id = Submit(Spec(2));
  const AttemptToken token = AssignmentOf(id, 0).token;
  Succeed(id, 0);
  Tell(OutputChunk{token, "late", "", false});
  Tell(ProgressReport{token, 0.5, "late"});
  EXPECT_THAT(Events(id), SizeIs(1));
}

TEST_F(OutcomesTest, ManyEventsOfOneStepAreSegmentsWithoutAGap) {
  options.pool = {0, 4096};
  const std::string id = Submit(Spec(3000));
  SucceedAll(id);
  int64_t sequence = 0;
  for (const v1::Event& event : Events(id)) EXPECT_EQ(event.sequence(), ++sequence);
  EXPECT_EQ(sequence, 3001);
  EXPECT_GT(store_.Find(id)->segments.size(), 1U);
}

TEST_F(OutcomesTest, ListenersHearOfFailuresAloneIfThatIsTheirInterest) {
  interest = EventListener::Interest::kFailures;
  const std::string id = Submit(Jobs({"", "", "options { start_timeout { seconds: 1 } }"},
                                     "max_parallelism: 2 job_defaults { max_lost_attempts: 1 }"));
  Succeed(id, 0);
  Lose(id, 1);
  Fail(id, 1);
  CancelIt(id);
  ASSERT_THAT(notices_, SizeIs(2));
  EXPECT_TRUE(notices_[0].event.has_attempt_error());
  EXPECT_TRUE(notices_[1].event.has_result());
  EXPECT_TRUE(notices_[1].failure);
}

TEST_F(OutcomesTest, ListenersHearOfEveryResultIfThatIsTheirInterest) {
  interest = EventListener::Interest::kResults;
  const std::string id = Submit(Spec(1));
  Succeed(id, 0);
  ASSERT_THAT(notices_, SizeIs(2));
  EXPECT_FALSE(notices_[0].failure);
  EXPECT_TRUE(notices_[1].event.has_batch_finished());
  EXPECT_EQ(notices_[1].event.sequence(), 2);
}

TEST_F(OutcomesTest, NothingIsShownBeforeItIsStored) {
  interest = EventListener::Interest::kResults;
  const std::string id = Submit(Spec(1));
  store_.HoldCommits(true);
  Succeed(id, 0);
  EXPECT_EQ(published_[id], 0);
  EXPECT_THAT(notices_, IsEmpty());
  bool answered = false;
  Tell(Query{[&](const Engine&) -> std::function<void()> { return [&] { answered = true; }; }});
  EXPECT_FALSE(answered) << "what it saw may yet be lost";
  store_.HoldCommits(false);
  EXPECT_EQ(published_[id], 2);
  EXPECT_THAT(notices_, SizeIs(2));
  EXPECT_TRUE(answered);
}

TEST_F(OutcomesTest, CommitsThatAreSlowAreShownOneByOne) {
  const std::string id = Submit(Spec(2));
  store_.HoldCommits(true);
  Succeed(id, 0);
  Succeed(id, 1);
  EXPECT_EQ(store_.commits_waiting(), 2U);
  store_.ReleaseCommit();
  EXPECT_EQ(published_[id], 1);
  store_.ReleaseCommit();
  EXPECT_EQ(published_[id], 3);
  store_.HoldCommits(false);
}

}  // namespace
}  // namespace jobrunner::engine
