// A batch has finished, and goes.

#include "base/uuid.h"
#include "engine/engine_fixture.h"

namespace jobrunner::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RetentionTest : public EngineTest {
 protected:
  // A batch with an id of its time, as it is in a server.
  std::string SubmitWithRequest(const std::string& request_id, const v1::BatchSpec& spec) {
    auto submission = MakeCall(spec);
    submission->batch_id = base::UuidV7(clock_.Read().wall, prng_);
    submission->request_id = request_id;
    AskStore(submission.get());
    // Its shards name the batch.
    submission->shards[0].jobs.reset();
    std::string id = submission->batch_id;
    Call(std::move(submission));
    return id;
  }
  bool Asked(const std::string& request_id) const { return store_.requests().contains(request_id); }

  base::Prng prng_{1};
};

class DurableRetentionTest : public RetentionTest {
 protected:
  DurableRetentionTest() { options.durable = true; }
};

TEST_F(DurableRetentionTest, AFinishedBatchLeavesWhenItsEndIsStored) {
  const std::string id = Submit(Spec(2));
  store_.HoldCommits(true);
  SucceedAll(id);
  ASSERT_NE(engine().Find(id), nullptr) << "nobody else can answer for it yet";
  EXPECT_EQ(engine().CountAll().batches_kept, 1);
  store_.HoldCommits(false);
  EXPECT_EQ(engine().Find(id), nullptr);
  EXPECT_EQ(engine().CountAll().batches_kept, 0);
  EXPECT_EQ(published_.at(id), 3);
}

TEST_F(DurableRetentionTest, AStoredBatchHoldsNoBytesOfItsJobs) {
  options.pool = {0, 0};
  store_.HoldCommits(true);
  const std::string id = Submit(Spec(600));
  EXPECT_NE(engine().Find(id)->shards()[2].bytes, nullptr);
  store_.HoldCommits(false);
  for (const Shard& shard : engine().Find(id)->shards()) EXPECT_EQ(shard.bytes, nullptr);
}

TEST_F(RetentionTest, WithoutADurableStoreTheBytesStay) {
  const std::string id = Submit(Spec(1));
  EXPECT_NE(engine().Find(id)->shards()[0].bytes, nullptr);
}

TEST_F(DurableRetentionTest, AFinishedBatchIsRemovedAfterItsRetention) {
  options.retention = 1h;
  const std::string id = Submit(Spec(1));
  const std::string other = Submit(Spec(1, "retention { seconds: 60 }"));
  SucceedAll(id);
  SucceedAll(other);
  Advance(59s);
  EXPECT_NE(store_.Find(other), nullptr);
  Advance(1min);
  EXPECT_EQ(store_.Find(other), nullptr);
  EXPECT_NE(store_.Find(id), nullptr);
  Advance(1h);
  EXPECT_EQ(store_.Find(id), nullptr);
}

TEST_F(DurableRetentionTest, WhatExpiredWhileNoServerRanIsRemovedAtTheStart) {
  const std::string id = Submit(Spec(1, "retention { seconds: 60 }"));
  SucceedAll(id);
  Restart(1h);
  EXPECT_EQ(store_.Find(id), nullptr);
}

TEST_F(DurableRetentionTest, MuchThatHasExpiredIsRemovedInSmallSteps) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3 * kExpiredPageMax; ++i) {
    ids.push_back(Submit(Spec(1, "retention { seconds: 1 }")));
    SucceedAll(ids.back());
  }
  const auto left = [&] {
    return std::count_if(ids.begin(), ids.end(),
                         [&](const std::string& id) { return store_.Find(id) != nullptr; });
  };
  OverSleep(kExpiryInterval);
  EXPECT_EQ(left(), 2 * kExpiredPageMax);
  Advance(kExpiryPause);
  EXPECT_EQ(left(), kExpiredPageMax);
  Advance(kExpiryPause);
  EXPECT_EQ(left(), 0);
}

TEST_F(DurableRetentionTest, TheNextPageIsLookedForWhenTheLastIsStored) {
  for (int i = 0; i < 2 * kExpiredPageMax; ++i) {
    SucceedAll(Submit(Spec(1, "retention { seconds: 1 }")));
  }
  store_.HoldCommits(true);
  OverSleep(kExpiryInterval);
  Advance(1h);
  EXPECT_EQ(store_.commits_waiting(), 1U);
  store_.HoldCommits(false);
  Advance(kExpiryPause);
  EXPECT_EQ(store_.Find("batch-0001"), nullptr);
}

TEST_F(DurableRetentionTest, ADrainedEngineLooksForNothing) {
  SucceedAll(Submit(Spec(1, "retention { seconds: 1 }")));
  int drained = 0;
  DrainNow(0s, &drained);
  Advance(1h);
  EXPECT_NE(store_.Find("batch-0001"), nullptr);
}

TEST_F(DurableRetentionTest, ARequestIsKnownForADayWhateverBecomesOfItsBatch) {
  const v1::BatchSpec spec = Spec(1, "retention { seconds: 60 }");
  const std::string id = SubmitWithRequest("request", spec);
  SucceedAll(id);
  Advance(2min);
  ASSERT_EQ(store_.Find(id), nullptr);
  const auto again = Call(spec, "request");
  EXPECT_TRUE(again->replayed);
  ASSERT_TRUE(again->batch().ok());
  EXPECT_EQ(again->batch()->id(), id);
  EXPECT_EQ(again->batch()->state(), v1::BATCH_STATE_SUCCEEDED);
  EXPECT_TRUE(absl::IsAlreadyExists(Call(Spec(2), "request")->batch().status()));
  Advance(kRequestKnown - 3min);
  EXPECT_TRUE(Asked("request"));
  Advance(3min);
  EXPECT_FALSE(Asked("request"));
  EXPECT_FALSE(Call(spec, "request")->replayed);
}

TEST_F(DurableRetentionTest, ARequestIsKnownAsLongAsItsBatch) {
  const std::string id = SubmitWithRequest("request", Spec(1, "retention { seconds: 200000 }"));
  SucceedAll(id);
  Advance(std::chrono::seconds(199'000));
  EXPECT_TRUE(Asked("request"));
  Advance(std::chrono::seconds(2'000));
  EXPECT_EQ(store_.Find(id), nullptr);
  Advance(2 * kExpiryInterval);
  EXPECT_FALSE(Asked("request")) << "older than a day, and so is it";
}

TEST_F(DurableRetentionTest, ARequestWhoseBatchFinishesAfterTheLookIsNotAcceptedAgain) {
  const v1::BatchSpec spec = Spec(1);
  auto slow = MakeCall(spec);
  slow->request_id = "request";
  AskStore(slow.get());
  ASSERT_FALSE(slow->known.has_value());
  SucceedAll(Call(spec, "request")->batch()->id());
  Advance(kRequestLookUpAgeMax);
  const auto answer = Call(std::move(slow));
  EXPECT_TRUE(absl::IsUnavailable(answer->batch().status())) << "to be asked again";
  EXPECT_TRUE(Call(spec, "request")->replayed);
}

TEST_F(DurableRetentionTest, ALookThatIsTooOldCountsForNothing) {
  auto slow = MakeCall(Spec(1));
  slow->request_id = "request";
  AskStore(slow.get());
  OverSleep(kRequestLookUpAgeMax + 1ms);
  EXPECT_TRUE(absl::IsUnavailable(Call(std::move(slow))->batch().status()));
}

TEST_F(DurableRetentionTest, WithoutARequestIdNothingIsLookedFor) {
  EXPECT_TRUE(Call(Spec(1))->batch().ok());
}

TEST_F(DurableRetentionTest, ABatchThatRunsIsNotDeleted) {
  const std::string id = Submit(Spec(1));
  EXPECT_EQ(DeleteIt(id)->code(), absl::StatusCode::kFailedPrecondition);
  store_.HoldCommits(true);
  Succeed(id, 0);
  EXPECT_TRUE(Runs(id, 0) || engine().Find(id) != nullptr);
  const auto deleted = DeleteIt(id);
  store_.HoldCommits(false);
  EXPECT_EQ(deleted->code(), absl::StatusCode::kFailedPrecondition) << "nobody saw its end";
  EXPECT_NE(store_.Find(id), nullptr);
}

TEST_F(DurableRetentionTest, ADeletedBatchIsGoneWhenThatIsStored) {
  const std::string id = Submit(Spec(1));
  SucceedAll(id);
  store_.HoldCommits(true);
  const auto deleted = DeleteIt(id);
  EXPECT_EQ(deleted->code(), absl::StatusCode::kUnknown) << "no answer yet";
  store_.HoldCommits(false);
  EXPECT_TRUE(deleted->ok());
  EXPECT_EQ(store_.Find(id), nullptr);
}

TEST_F(RetentionTest, WithoutADurableStoreAFinishedBatchIsDeletedToo) {
  const std::string id = Submit(Spec(1));
  EXPECT_EQ(DeleteIt(id)->code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::IsNotFound(*DeleteIt("nothing")));
  SucceedAll(id);
  EXPECT_TRUE(DeleteIt(id)->ok());
  EXPECT_EQ(store_.Find(id), nullptr);
  EXPECT_EQ(engine().Find(id), nullptr);
  EXPECT_TRUE(absl::IsNotFound(*DeleteIt(id)));
  Advance(48h);
}

TEST_F(RetentionTest, ABatchIsDeletedInTheStepInWhichItEnds) {
  const std::string id = Submit(Spec(1));
  int answers = 0;
  const auto count = [&](absl::Status status) { answers += status.ok(); };
  std::vector<Input> inputs;
  Outcome outcome;
  outcome.token = AssignmentOf(id, 0).token;
  TellAll([&](std::vector<Input>* all) {
    all->push_back(std::move(outcome));
    all->push_back(Delete{id, count});
    all->push_back(Delete{id, count});
  });
  EXPECT_EQ(answers, 2);
  EXPECT_EQ(store_.Find(id), nullptr);
}

TEST_F(RetentionTest, ARequestIsKnownAfterItsBatchWasDeleted) {
  const v1::BatchSpec spec = Spec(1);
  const std::string id = Call(spec, "request")->batch()->id();
  SucceedAll(id);
  ASSERT_TRUE(DeleteIt(id)->ok());
  EXPECT_EQ(Call(spec, "request")->batch()->id(), id);
}

class CommitTest : public DurableRetentionTest {
 protected:
  Sync last() const { return store_.syncs().back(); }
};

TEST_F(CommitTest, AStartRidesInTheNextCommitThatIsWaitedFor) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(2));
  EXPECT_THAT(store_.syncs(), ElementsAre(Sync::kNow, Sync::kWithNext)) << "accepted, started";
  Succeed(id, 0);
  EXPECT_EQ(last(), Sync::kNow) << "a result, and a start with it";
}

TEST_F(CommitTest, ARetryThatIsQueuedAgainWaitsForNobody) {
  const std::string id = Submit(Spec(1, "job_defaults { retry_policy { max_attempts: 2 } }"));
  Fail(id, 0);
  EXPECT_EQ(last(), Sync::kNow);
  Advance(2s);
  ASSERT_TRUE(Runs(id, 0));
  EXPECT_EQ(last(), Sync::kWithNext);
}

TEST_F(CommitTest, WhatIsPutBackOrCancelledIsWaitedFor) {
  const std::string id = Submit(Spec(2));
  Tell(Cancel{.batch_id = id, .indexes = {1}, .message = "", .reply = nullptr});
  EXPECT_EQ(last(), Sync::kNow);
  int drained = 0;
  DrainNow(0s, &drained);
  Fail(id, 0);
  EXPECT_EQ(last(), Sync::kNow);
}

TEST_F(CommitTest, WhatIsAskedMeanwhileIsAnsweredWithTheCommitBeforeIt) {
  options.pool = {0, 0};
  const std::string id = Submit(Spec(1));
  int answers = 0;
  store_.HoldCommits(true);
  Tell(ResizePool{{0, 1}, [&] { ++answers; }});
  EXPECT_EQ(last(), Sync::kNow) << "its Step has an answer";
  store_.HoldCommits(false);
  EXPECT_EQ(answers, 1);
}

TEST_F(CommitTest, AStoreThatIsBehindHoldsUpSubmitsAndStarts) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(2));
  store_.HoldCommits(true);
  v1::BatchSpec large = Spec(65);
  for (v1::Job& job : *large.mutable_jobs()) {
    job.mutable_handler()->set_payload(std::string(kPayloadBytesMax, 'x'));
  }
  static_assert(65 * kPayloadBytesMax > kUncommittedBytesMax);
  const auto first = Call(large);
  const auto second = Call(Spec(1));
  Succeed(id, 0);
  EXPECT_EQ(RunningInAll(), 0);
  store_.HoldCommits(false);
  EXPECT_TRUE(first->batch().ok()) << "it brought the store behind";
  EXPECT_EQ(second->batch().status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(RunningInAll(), 1);
  EXPECT_TRUE(Call(Spec(1))->batch().ok());
}

}  // namespace
}  // namespace jobrunner::engine
