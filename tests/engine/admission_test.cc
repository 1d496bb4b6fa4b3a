// A batch comes in, is asked for again, and goes.

#include "engine/engine_fixture.h"
#include "engine/refusal.h"
#include "engine/request_memory.h"

namespace jobrunner::engine {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class AdmissionTest : public EngineTest {
 protected:
  static std::string ReasonOfRefusal(const std::shared_ptr<Answer>& answer) {
    return answer->batch().ok() ? "" : ReasonOf(answer->batch().status());
  }
};

TEST_F(AdmissionTest, TheAnswerIsTheBatch) {
  const auto answer = Call(Spec(3,
                                "name: 'n' labels { key: 'a' value: 'b' } priority: 7 "
                                "timeout { seconds: 60 }"));
  const v1::Batch& batch = *answer->batch();
  EXPECT_EQ(batch.name(), "n");
  EXPECT_EQ(batch.labels().at("a"), "b");
  EXPECT_EQ(batch.queue(), "default");
  EXPECT_EQ(batch.priority(), 7);
  EXPECT_EQ(batch.state(), v1::BATCH_STATE_RUNNING);
  EXPECT_EQ(batch.counts().total(), 3);
  EXPECT_EQ(batch.counts().queued(), 3);
  EXPECT_EQ(batch.deadline().seconds(), batch.create_time().seconds() + 60);
  EXPECT_FALSE(batch.has_finish_time());
}

TEST_F(AdmissionTest, AnUnknownQueueIsRefused) {
  const auto answer = Call(Spec(1, "queue: 'nowhere'"));
  EXPECT_EQ(answer->batch().status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOfRefusal(answer), "UNKNOWN_QUEUE");
  EXPECT_THAT(std::string(answer->batch().status().message()), HasSubstr("batch.queue"));
}

TEST_F(AdmissionTest, AQueueTakesAsManyJobsAsItMayAndNotOneMore) {
  options.queues = {Queue("small", 0, 3)};
  const std::string id = Submit(Spec(2, "queue: 'small'"));
  EXPECT_EQ(ReasonOfRefusal(Call(Spec(2, "queue: 'small'"))), "QUEUE_FULL");
  EXPECT_TRUE(Call(Spec(1, "queue: 'small'"))->batch().ok());
  EXPECT_TRUE(Call(Spec(9))->batch().ok()) << "other queues have room";
  Succeed(id, 0);
  EXPECT_TRUE(Call(Spec(1, "queue: 'small'"))->batch().ok()) << "what has ended makes room";
}

TEST_F(AdmissionTest, ABatchThatItsQueueNeverTakesIsWrong) {
  options.queues = {Queue("small", 0, 3)};
  const auto answer = Call(Spec(4, "queue: 'small'"));
  EXPECT_EQ(answer->batch().status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOfRefusal(answer), "LARGER_THAN_QUEUE");
  EXPECT_THAT(std::string(answer->batch().status().message()), HasSubstr("batch.jobs"));
  EXPECT_TRUE(Call(Spec(3, "queue: 'small'"))->batch().ok());
}

TEST_F(AdmissionTest, TheServerTakesAsManyJobsAsItMayAndNotOneMore) {
  options.jobs_unfinished_max = 5;
  Submit(Spec(3));
  const auto answer = Call(Spec(3));
  EXPECT_EQ(answer->batch().status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOfRefusal(answer), "SERVER_FULL");
  EXPECT_TRUE(Call(Spec(2))->batch().ok());
}

TEST_F(AdmissionTest, OptionsComeFromTheJobThenTheBatchThenTheQueue) {
  options.queues = {Queue("default")};
  options.queues[0].job_defaults.mutable_timeout()->set_seconds(9);
  options.queues[0].job_defaults.set_stream_output(true);
  const std::string id =
      Submit(Jobs({"options { timeout { seconds: 1 } }", "options { stream_output: false }"},
                  "job_defaults { timeout { nanos: 500000000 } }"));
  const base::SteadyTime now = clock_.Read().steady;
  EXPECT_EQ(AssignmentOf(id, 0).deadline, now + 1s);
  EXPECT_EQ(AssignmentOf(id, 1).deadline, now + 500ms);
  EXPECT_TRUE(AssignmentOf(id, 0).stream_output);
  EXPECT_FALSE(AssignmentOf(id, 1).stream_output);
}

TEST_F(AdmissionTest, TheSameRequestAgainIsAnsweredWithTheFirstBatch) {
  const auto first = Call(Spec(1), "request");
  const auto again = Call(Spec(1), "request");
  EXPECT_FALSE(first->replayed);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->batch()->id(), first->batch()->id());
  EXPECT_EQ(RunningInAll(), 1);
}

TEST_F(AdmissionTest, ARequestIdWithAnotherBatchIsRefused) {
  Call(Spec(1), "request");
  const auto other = Call(Spec(2), "request");
  EXPECT_EQ(other->batch().status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(RunningInAll(), 1);
}

TEST_F(AdmissionTest, ARefusedRequestIsNotRemembered) {
  options.jobs_unfinished_max = 1;
  const std::string id = Submit(Spec(1));
  EXPECT_FALSE(Call(Spec(1), "request")->batch().ok());
  Succeed(id, 0);
  const auto later = Call(Spec(1), "request");
  EXPECT_TRUE(later->batch().ok());
  EXPECT_FALSE(later->replayed);
}

TEST_F(AdmissionTest, AReplayIsAnsweredNoEarlierThanTheFirstCall) {
  store_.HoldCommits(true);
  const auto first = Call(Spec(1), "request");
  const auto again = Call(Spec(1), "request");
  EXPECT_FALSE(again->given());
  store_.HoldCommits(false);
  EXPECT_TRUE(first->given());
  EXPECT_TRUE(again->given());
}

TEST_F(AdmissionTest, AReplayIsAnsweredInADrainToo) {
  int drained = 0;
  Call(Spec(1), "request");
  DrainNow(60s, &drained);
  EXPECT_TRUE(Call(Spec(1), "request")->batch().ok());
}

TEST_F(AdmissionTest, AFinishedBatchIsKeptForItsRetentionAndThenGone) {
  const std::string id = Submit(Spec(1, "retention { seconds: 60 }"));
  const std::string usual = Submit(Spec(1));
  Succeed(id, 0);
  Succeed(usual, 0);
  Advance(60s - 1ms);
  EXPECT_NE(store_.Find(id), nullptr);
  Advance(1ms);
  EXPECT_EQ(store_.Find(id), nullptr);
  EXPECT_TRUE(absl::IsNotFound(engine().DescribeBatch(id).status()));
  EXPECT_NE(store_.Find(usual), nullptr);
  Advance(24h);
  EXPECT_EQ(store_.Find(usual), nullptr);
  EXPECT_EQ(engine().CountAll().batches_kept, 0);
}

TEST_F(AdmissionTest, ARequestIsRememberedForADayThoughItsBatchIsGone) {
  const auto first = Call(Spec(1, "retention { nanos: 1 }"), "request");
  SucceedAll(first->batch()->id());
  Advance(1h);
  EXPECT_EQ(store_.Find(first->batch()->id()), nullptr);
  const auto again = Call(Spec(1, "retention { nanos: 1 }"), "request");
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->batch()->id(), first->batch()->id());
  EXPECT_EQ(again->batch()->state(), v1::BATCH_STATE_SUCCEEDED);
  Advance(kRequestKnown);
  EXPECT_FALSE(Call(Spec(1, "retention { nanos: 1 }"), "request")->replayed);
}

TEST_F(AdmissionTest, WhenTooMuchIsKeptTheOldestGoesFirst) {
  options.kept_bytes_max = 5'000;
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(Submit(Spec(1)));
  const std::string running = Submit(Spec(1));
  for (const std::string& id : ids) Succeed(id, 0, std::string(2'000, 'x'));
  EXPECT_EQ(store_.Find(ids[0]), nullptr);
  EXPECT_EQ(store_.Find(ids[1]), nullptr);
  EXPECT_NE(store_.Find(ids[3]), nullptr);
  EXPECT_NE(store_.Find(running), nullptr) << "what runs is never taken";
}

TEST_F(AdmissionTest, AQueueIsCountedFromAcceptToEnd) {
  const std::string id = Submit(Spec(4,
                                     "max_parallelism: 3 job_defaults { retry_policy { "
                                     "max_attempts: 2 } }"));
  Succeed(id, 0);
  Fail(id, 1);
  Fail(id, 2, FailedFinally());
  QueueCounts counts = engine().CountAll().queues.at("default");
  EXPECT_EQ(counts.accepted, 4);
  EXPECT_EQ(counts.succeeded, 1);
  EXPECT_EQ(counts.failed, 1);
  EXPECT_EQ(counts.retrying, 1);
  EXPECT_EQ(counts.running, 1);
  EXPECT_EQ(counts.queued, 0);
  EXPECT_EQ(counts.attempts_started, 4);
  EXPECT_EQ(counts.attempts_retried, 1);
  CancelIt(id);
  Fail(id, 3);
  const Statistics all = engine().CountAll();
  EXPECT_EQ(all.queues.at("default").cancelled, 2);
  EXPECT_EQ(all.cancels[v1::REASON_CLIENT_CANCEL], 2);
  EXPECT_EQ(all.queues.at("default").retrying, 0);
  EXPECT_EQ(all.batches_running, 0);
  EXPECT_EQ(all.batches_kept, 1);
}

}  // namespace
}  // namespace jobrunner::engine
