#include "rpc/shard_stager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "engine/limits.h"
#include "support/recording_store.h"

namespace jobrunner::rpc {
namespace {

using ::testing::IsEmpty;

class ShardStagerTest : public ::testing::Test {
 protected:
  ShardStagerTest() { stager_.emplace(&store_, "a"); }

  // The next shard, of one job and so many bytes.
  absl::Status Add(size_t bytes) {
    engine::SubmittedShard& next = submission_.shards.emplace_back();
    next.shard = {submission_.job_count++, 1, std::make_shared<const std::string>(bytes, 'x'), {}};
    absl::Status status = stager_->Add(&next);
    EXPECT_EQ(next.shard.bytes, nullptr);
    return status;
  }
  void HandOver() { stager_->HandOver(&submission_); }
  // As the engine does with what was handed over.
  void Accept() {
    auto header = std::make_shared<engine::BatchHeader>();
    header->id = "a";
    header->job_count = submission_.job_count;
    engine::Accepted accepted{header, {}};
    for (const auto& submitted : submission_.shards) accepted.shards.push_back(submitted.shard);
    store_.Commit({engine::Append{"a", std::move(accepted)}}, engine::Sync::kNow,
                  [](absl::Status) {});
  }
  int64_t StagedAfterARestart() { return store_.Recover()->staged_dropped; }

  test::RecordingStore store_;
  std::optional<ShardStager> stager_;
  engine::Submission submission_;
};

constexpr size_t kHalf = engine::kStagedBytesAtOnce / 2;

TEST_F(ShardStagerTest, GathersWhatIsSmall) {
  store_.HoldCommits(true);
  ASSERT_TRUE(Add(kHalf).ok());
  EXPECT_EQ(store_.commits_waiting(), 0);
  ASSERT_TRUE(Add(kHalf).ok());
  EXPECT_EQ(store_.commits_waiting(), 1);
  // The next are gathered while that is being written.
  ASSERT_TRUE(Add(kHalf).ok());
  EXPECT_EQ(store_.commits_waiting(), 1);
  store_.ReleaseCommit();
  ASSERT_TRUE(Add(kHalf).ok());
  EXPECT_EQ(store_.commits_waiting(), 1);
  store_.HoldCommits(false);
}

TEST_F(ShardStagerTest, LeavesWhatIsSmallToTheCommitOfTheBatch) {
  ASSERT_TRUE(Add(kHalf).ok());
  HandOver();
  EXPECT_EQ(submission_.staged_bytes, 0);
  EXPECT_EQ(submission_.shards[0].shard.bytes->size(), kHalf);
  EXPECT_THAT(store_.syncs(), IsEmpty());
}

TEST_F(ShardStagerTest, LeavesTheRestToTheCommitOfTheBatch) {
  for (const size_t bytes : {kHalf, kHalf, kHalf, size_t{1}}) ASSERT_TRUE(Add(bytes).ok());
  HandOver();
  EXPECT_EQ(submission_.staged_bytes, 2 * static_cast<int64_t>(kHalf));
  EXPECT_EQ(submission_.shards[1].shard.bytes, nullptr);
  EXPECT_EQ(submission_.shards[2].shard.bytes->size(), kHalf);
  EXPECT_EQ(submission_.shards[3].shard.bytes->size(), 1u);
  Accept();
  stager_->Answered(store_.Find("a")->batch->Describe());
  stager_.reset();
  for (const engine::Shard& shard : store_.Find("a")->batch->shards()) {
    EXPECT_NE(shard.bytes, nullptr) << shard.first_index;
  }
}

TEST_F(ShardStagerTest, DropsWhatItStagedWhenNothingComesOfIt) {
  ASSERT_TRUE(Add(2 * kHalf).ok());
  stager_.reset();
  EXPECT_EQ(StagedAfterARestart(), 0);
}

TEST_F(ShardStagerTest, DropsWhatItHandedOverWhenTheBatchIsRefused) {
  ASSERT_TRUE(Add(2 * kHalf).ok());
  HandOver();
  stager_->Answered(absl::UnavailableError("draining"));
  stager_.reset();
  EXPECT_EQ(StagedAfterARestart(), 0);
}

TEST_F(ShardStagerTest, DropsWhatItHandedOverWhenTheRequestHadAnotherBatch) {
  ASSERT_TRUE(Add(2 * kHalf).ok());
  HandOver();
  v1::Batch other;
  other.set_id("b");
  stager_->Answered(other);
  EXPECT_EQ(StagedAfterARestart(), 0);
}

// Whether it is a batch by now nobody knows.
TEST_F(ShardStagerTest, LeavesWhatItHandedOverWhenThereIsNoAnswer) {
  ASSERT_TRUE(Add(2 * kHalf).ok());
  HandOver();
  stager_.reset();
  EXPECT_EQ(StagedAfterARestart(), 1);
}

}  // namespace
}  // namespace jobrunner::rpc
