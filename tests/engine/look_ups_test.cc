// What can be asked of the engine.

#include <algorithm>

#include "engine/engine_fixture.h"
#include "engine/proto_time.h"

namespace jobrunner::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class LookUpsTest : public EngineTest {
 protected:
  std::vector<std::string> Listed(const BatchFilter& filter) {
    std::vector<std::string> ids;
    for (const v1::Batch& batch : engine().ListBatches(filter, "", 100).batches) {
      ids.push_back(batch.id());
    }
    return ids;
  }
};

TEST_F(LookUpsTest, WhatIsNotThereIsNotFound) {
  const std::string id = Submit(Spec(2));
  EXPECT_TRUE(absl::IsNotFound(engine().DescribeBatch("nothing").status()));
  EXPECT_TRUE(absl::IsNotFound(engine().DescribeJob("nothing", 0).status()));
  EXPECT_TRUE(absl::IsNotFound(engine().DescribeJob(id, 2).status()));
  EXPECT_TRUE(absl::IsNotFound(engine().DescribeJob(id, -1).status()));
  EXPECT_TRUE(absl::IsNotFound(engine().ListJobs("nothing", {}, 0, 10).status()));
  EXPECT_EQ(engine().Find("nothing"), nullptr);
}

TEST_F(LookUpsTest, BatchesAreListedFromTheNewestPageByPage) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(Submit(Spec(1)));
  std::vector<std::string> seen;
  std::string before;
  do {
    const BatchPage page = engine().ListBatches({}, before, 2);
    EXPECT_LE(page.batches.size(), 2U);
    for (const v1::Batch& batch : page.batches) seen.push_back(batch.id());
    before = page.next_before_id;
  } while (!before.empty());
  std::reverse(ids.begin(), ids.end());
  EXPECT_EQ(seen, ids);
}

TEST_F(LookUpsTest, BatchesAreFilteredByQueueStateAndLabels) {
  options.queues = {Queue("other")};
  const std::string plain = Submit(Spec(1));
  const std::string queued = Submit(Spec(1, "queue: 'other'"));
  const std::string labelled =
      Submit(Spec(1, "labels { key: 'a' value: '1' } labels { key: 'b' value: '2' }"));
  Succeed(plain, 0);
  EXPECT_THAT(Listed({.queue = "other", .states = {}, .labels = {}}), ElementsAre(queued));
  EXPECT_THAT(Listed({.queue = "", .states = {v1::BATCH_STATE_SUCCEEDED}, .labels = {}}),
              ElementsAre(plain));
  EXPECT_THAT(Listed({.queue = "", .states = {}, .labels = {{"a", "1"}, {"b", "2"}}}),
              ElementsAre(labelled));
  EXPECT_THAT(Listed({.queue = "", .states = {}, .labels = {{"a", "2"}}}), IsEmpty());
}

TEST_F(LookUpsTest, JobsAreListedByIndexAndState) {
  const std::string id = Submit(Spec(5, "max_parallelism: 2"));
  Succeed(id, 0);
  auto page = engine().ListJobs(id, {v1::JOB_STATE_QUEUED}, 0, 1);
  ASSERT_THAT(page->jobs, SizeIs(1));
  EXPECT_EQ(page->jobs[0].index(), 3);
  EXPECT_EQ(page->next_index, 4);
  page = engine().ListJobs(id, {v1::JOB_STATE_QUEUED}, page->next_index, 1);
  EXPECT_EQ(page->jobs[0].index(), 4);
  EXPECT_EQ(page->next_index, -1);
  EXPECT_THAT(engine().ListJobs(id, {v1::JOB_STATE_RUNNING}, 0, 10)->jobs, SizeIs(2));
}

TEST_F(LookUpsTest, AJobSaysWhereItsResultIs) {
  const std::string id = Submit(Spec(2));
  EXPECT_EQ(engine().DescribeJob(id, 1)->result_sequence, 0);
  Succeed(id, 1);
  EXPECT_EQ(engine().DescribeJob(id, 1)->result_sequence, 1);
  Succeed(id, 0);
  EXPECT_EQ(engine().DescribeJob(id, 0)->result_sequence, 2);
}

TEST_F(LookUpsTest, AJobInBackoffSaysUntilWhen) {
  const std::string id =
      Submit(Spec(1,
                  "job_defaults { retry_policy { max_attempts: 2 initial_backoff { seconds: 30 } "
                  "jitter: 0 } }"));
  Fail(id, 0);
  const v1::Wait wait = Status(id, 0).wait();
  EXPECT_EQ(wait.reason(), v1::WAIT_REASON_BACKOFF);
  EXPECT_EQ(wait.since_time().seconds(), ToTimestamp(clock_.Read().wall).seconds());
  EXPECT_EQ(wait.until_time().seconds(), wait.since_time().seconds() + 30);
}

TEST_F(LookUpsTest, AJobThatWaitsForAWorkerHasAPlace) {
  options.pool = {0, 1};
  const std::string id = Submit(Spec(10));
  EXPECT_EQ(Status(id, 5).wait().reason(), v1::WAIT_REASON_WORKER);
  EXPECT_EQ(Status(id, 5).wait().place(), 4);
  EXPECT_EQ(Status(id, 1).wait().place(), 0);
  EXPECT_FALSE(Status(id, 0).has_wait()) << "it runs";
}

TEST_F(LookUpsTest, AQueryIsAnsweredWhenWhatItSawIsStored) {
  const std::string id = Submit(Spec(1));
  int answers = 0;
  const auto ask = [&] {
    Tell(Query{[&](const Engine&) -> std::function<void()> { return [&] { ++answers; }; }});
  };
  ask();
  EXPECT_EQ(answers, 1) << "nothing is to be stored";
  store_.HoldCommits(true);
  Succeed(id, 0);
  ask();
  EXPECT_EQ(answers, 1);
  store_.HoldCommits(false);
  EXPECT_EQ(answers, 2);
}

TEST_F(LookUpsTest, AQueryMayHaveNothingToAnswer) {
  Tell(Query{[](const Engine&) -> std::function<void()> { return nullptr; }});
}

TEST_F(LookUpsTest, TheQueuesAreThoseOfTheConfigurationAndTheDefault) {
  options.queues = {Queue("a", 3)};
  Submit(Spec(1));
  Tell(ReconfigureQueues{{Queue("b")}});
  std::vector<std::string> names;
  for (const QueueSettings& queue : engine().queues()) names.push_back(queue.name);
  EXPECT_THAT(names, ElementsAre("b", "default"));
}

TEST_F(LookUpsTest, AFinishedBatchIsStillToBeLookedAt) {
  const std::string id = Submit(Spec(2));
  SucceedAll(id);
  EXPECT_TRUE(Describe(id).has_finish_time());
  EXPECT_EQ(StateOf(id, 1), v1::JOB_STATE_SUCCEEDED);
  EXPECT_THAT(engine().ListJobs(id, {}, 0, 10)->jobs, SizeIs(2));
}

}  // namespace
}  // namespace jobrunner::engine
