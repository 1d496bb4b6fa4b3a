#include "engine/retry_queue.h"

#include "engine/active_batch.h"
#include "gtest/gtest.h"

namespace jobrunner::engine {
namespace {

using std::chrono::seconds;

class RetryQueueTest : public testing::Test {
 protected:
  static base::SteadyTime At(int second) { return base::SteadyTime(seconds(second)); }
  // Only their addresses matter.
  ActiveBatch* const a_ = reinterpret_cast<ActiveBatch*>(8);
  ActiveBatch* const b_ = reinterpret_cast<ActiveBatch*>(16);
  RetryQueue queue_;
};

TEST_F(RetryQueueTest, GivesJobsOutByTheirTimes) {
  queue_.Add(a_, 1, At(3));
  queue_.Add(b_, 1, At(1));
  queue_.Add(a_, 2, At(2));
  EXPECT_EQ(queue_.earliest(), At(1));
  EXPECT_FALSE(queue_.PopDue(At(0)));
  EXPECT_EQ(queue_.PopDue(At(5))->batch, b_);
  EXPECT_EQ(queue_.PopDue(At(5))->index, 2);
  const auto last = queue_.PopDue(At(3));
  EXPECT_EQ(last->index, 1);
  EXPECT_EQ(last->time, At(3));
  EXPECT_EQ(queue_.earliest(), base::SteadyTime::max());
}

TEST_F(RetryQueueTest, JobsOfOneTimeComeInTheOrderInWhichTheyWent) {
  for (int i = 0; i < 5; ++i) queue_.Add(a_, 9 - i, At(1));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(queue_.PopDue(At(1))->index, 9 - i);
}

TEST_F(RetryQueueTest, AJobThatIsTakenOutLeavesNothing) {
  queue_.Add(a_, 1, At(1));
  EXPECT_EQ(queue_.TimeOf(a_, 1), At(1));
  EXPECT_TRUE(queue_.Remove(a_, 1));
  EXPECT_FALSE(queue_.Remove(a_, 1));
  EXPECT_FALSE(queue_.TimeOf(a_, 1));
  EXPECT_EQ(queue_.size(), 0);
  EXPECT_FALSE(queue_.PopDue(At(9)));
}

}  // namespace
}  // namespace jobrunner::engine
