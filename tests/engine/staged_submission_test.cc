// A batch whose shards are in the store before it is.

#include "engine/engine_fixture.h"
#include "engine/refusal.h"

namespace jobrunner::engine {
namespace {

using testing::IsEmpty;

// More than are kept parsed, so that some are loaded.
constexpr int32_t kJobs = (kShardsKeptParsedMax + 2) * kJobsPerShardMax;

class StagedSubmissionTest : public EngineTest {
 protected:
  StagedSubmissionTest() { options.pool = {0, 5'000}; }

  // Stages the shards of a call, and takes their bytes away.
  std::unique_ptr<Submission> MakeStaged(const v1::BatchSpec& spec) {
    auto submission = MakeCall(spec);
    for (SubmittedShard& submitted : submission->shards) {
      submission->staged_bytes += static_cast<int64_t>(submitted.shard.bytes->size());
      store_.Commit({StageShard{submission->batch_id, submitted.shard}}, Sync::kNow,
                    [](absl::Status) {});
      submitted.shard.bytes = nullptr;
    }
    return submission;
  }
};

TEST_F(StagedSubmissionTest, RunsAsAnyOther) {
  auto submission = MakeStaged(Spec(kJobs));
  const std::string id = submission->batch_id;
  ASSERT_TRUE(Call(std::move(submission))->batch().ok());
  SucceedAll(id);
  EXPECT_EQ(Describe(id).counts().succeeded(), kJobs);
  EXPECT_GT(store_.loads(), 0);
}

TEST_F(StagedSubmissionTest, GoesOnAfterARestart) {
  options.durable = true;
  auto submission = MakeStaged(Spec(kJobs));
  const std::string id = submission->batch_id;
  ASSERT_TRUE(Call(std::move(submission))->batch().ok());
  Restart();
  SucceedAll(id);
  EXPECT_EQ(store_.Find(id)->batch->count(v1::JOB_STATE_SUCCEEDED), kJobs);
}

TEST_F(StagedSubmissionTest, IsGoneWithTheServerThatHadNotStoredIt) {
  options.durable = true;
  auto submission = MakeStaged(Spec(kJobs));
  const std::string id = submission->batch_id;
  store_.HoldCommits(true);
  const auto answer = Call(std::move(submission));
  Restart();
  EXPECT_FALSE(answer->given());
  EXPECT_EQ(store_.Find(id), nullptr);
  EXPECT_THAT(Running(id), IsEmpty());
}

TEST_F(StagedSubmissionTest, IsTakenWhileTheStoreIsBehind) {
  options.durable = true;
  const auto staged = MakeStaged(Spec(1));
  auto late = std::make_unique<Submission>(*staged);
  store_.HoldCommits(true);
  v1::BatchSpec large = Spec(80);
  for (v1::Job& job : *large.mutable_jobs()) {
    job.mutable_handler()->set_payload(std::string(1 << 20, 'x'));
  }
  Call(large);
  const auto refused = Call(Spec(1));
  const auto taken = Call(std::move(late));
  store_.HoldCommits(false);
  Advance(0s);
  EXPECT_EQ(ReasonOf(refused->batch().status()), "STORE_BEHIND");
  EXPECT_TRUE(taken->batch().ok());
}

}  // namespace
}  // namespace jobrunner::engine
