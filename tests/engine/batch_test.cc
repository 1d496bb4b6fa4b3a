#include "engine/batch.h"

#include "gtest/gtest.h"

namespace jobrunner::engine {
namespace {

using std::chrono_literals::operator""s;

class BatchTest : public testing::Test {
 protected:
  BatchTest() : batch_(MakeAccepted()) {}

  // Four jobs in shards of three and one.
  static Accepted MakeAccepted() {
    auto header = std::make_shared<BatchHeader>();
    header->id = "b";
    header->job_count = 4;
    Accepted accepted{header, {}};
    accepted.shards.resize(2);
    accepted.shards[0].count = 3;
    accepted.shards[1].first_index = 3;
    accepted.shards[1].count = 1;
    return accepted;
  }

  void Do(int32_t index, JobTransition transition, bool lost = false) {
    JobChange change;
    change.index = index;
    change.transition = transition;
    change.lost = lost;
    change.not_before = base::WallTime(9s);
    Changed changed;
    changed.time = base::WallTime(5s);
    changed.changes = {change};
    batch_.Apply(Record(changed));
  }

  void RequestCancel(std::vector<int32_t> indexes, v1::Reason reason) {
    CancelRequested cancel;
    cancel.indexes = std::move(indexes);
    cancel.error.set_reason(reason);
    batch_.Apply(Record(cancel));
  }

  Batch batch_;
};

TEST_F(BatchTest, BeginsWithEveryJobQueued) {
  EXPECT_EQ(batch_.state(), v1::BATCH_STATE_RUNNING);
  EXPECT_EQ(batch_.count(v1::JOB_STATE_QUEUED), 4);
  EXPECT_EQ(batch_.unfinished(), 4);
  EXPECT_EQ(batch_.ShardOf(2), 0U);
  EXPECT_EQ(batch_.ShardOf(3), 1U);
}

TEST_F(BatchTest, CountsAttemptsButNotThosePutBack) {
  Do(0, JobTransition::kStart);
  Do(0, JobTransition::kPutBack);
  Do(0, JobTransition::kStart);
  EXPECT_EQ(batch_.Job(0).attempts, 1);
  Do(0, JobTransition::kRetryAt, /*lost=*/true);
  EXPECT_EQ(batch_.Job(0).state, v1::JOB_STATE_RETRYING);
  EXPECT_EQ(batch_.Job(0).lost_attempts, 1);
  EXPECT_EQ(batch_.WaitingOf(0)->since, base::WallTime(5s));
  EXPECT_EQ(batch_.WaitingOf(0)->until, base::WallTime(9s));
  Do(0, JobTransition::kRequeue);
  EXPECT_FALSE(batch_.WaitingOf(0).has_value());
  Do(0, JobTransition::kStart);
  EXPECT_EQ(batch_.Job(0).attempts, 2);
}

TEST_F(BatchTest, CountsWhatIsUnfinishedByShard) {
  Do(3, JobTransition::kStart);
  Do(3, JobTransition::kSucceed);
  Do(0, JobTransition::kCancel);
  EXPECT_EQ(batch_.unfinished(), 2);
  EXPECT_EQ(batch_.unfinished_in_shard(0), 2);
  EXPECT_EQ(batch_.unfinished_in_shard(1), 0);
}

TEST_F(BatchTest, OfABatchsCancelsTheFirstStands) {
  Do(1, JobTransition::kStart);
  RequestCancel({}, v1::REASON_CLIENT_CANCEL);
  RequestCancel({}, v1::REASON_BATCH_TIMEOUT);
  EXPECT_EQ(batch_.cancelled_by()->reason(), v1::REASON_CLIENT_CANCEL);
  EXPECT_EQ(batch_.StateSeen(0), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(batch_.Job(0).state, v1::JOB_STATE_QUEUED);
  EXPECT_EQ(batch_.StateSeen(1), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(batch_.Describe().counts().cancelled(), 3);
}

TEST_F(BatchTest, AJobsCancelConcernsThatJob) {
  RequestCancel({2}, v1::REASON_CLIENT_CANCEL);
  EXPECT_NE(batch_.CancelOf(2), nullptr);
  EXPECT_EQ(batch_.CancelOf(1), nullptr);
  EXPECT_EQ(batch_.Describe().counts().cancelled(), 1);
  EXPECT_EQ(batch_.Describe().counts().queued(), 3);
  EXPECT_FALSE(batch_.Describe().cancel_requested());
}

TEST_F(BatchTest, EndsAsItsJobsDidUnlessItWasCancelledAsAWhole) {
  for (int32_t i = 0; i < 4; ++i) Do(i, JobTransition::kStart);
  for (int32_t i = 0; i < 3; ++i) Do(i, JobTransition::kSucceed);
  Do(3, JobTransition::kFailForGood);
  EXPECT_EQ(batch_.FinalState(), v1::BATCH_STATE_FAILED);
  RequestCancel({}, v1::REASON_FAILURE_POLICY);
  EXPECT_EQ(batch_.FinalState(), v1::BATCH_STATE_FAILED);
  EXPECT_EQ(batch_.failed_for_good(), 1);
}

TEST_F(BatchTest, ABatchThatAClientCancelledIsCancelledUnlessEveryJobSucceeded) {
  RequestCancel({}, v1::REASON_CLIENT_CANCEL);
  EXPECT_EQ(batch_.FinalState(), v1::BATCH_STATE_CANCELLED);
  for (int32_t i = 0; i < 4; ++i) Do(i, JobTransition::kStart);
  for (int32_t i = 0; i < 4; ++i) Do(i, JobTransition::kSucceed);
  EXPECT_EQ(batch_.FinalState(), v1::BATCH_STATE_SUCCEEDED);
}

}  // namespace
}  // namespace jobrunner::engine
