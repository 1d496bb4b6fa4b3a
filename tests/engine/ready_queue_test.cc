#include "engine/ready_queue.h"

#include <map>
#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace jobrunner::engine {
namespace {

class ReadyQueueTest : public testing::Test {
 protected:
  ReadyQueue::Entry& Add(const std::string& queue, const std::string& key = "",
                         int32_t priority = 0) {
    entries_.push_back(
        std::make_unique<ReadyQueue::Entry>(nullptr, ready_.LaneOf(queue), key, priority));
    ready_.Join(entries_.back().get());
    return *entries_.back();
  }

  std::map<const ReadyQueue::Entry*, int> Serve(int count) {
    std::map<const ReadyQueue::Entry*, int> served;
    for (int i = 0; i < count; ++i) {
      ReadyQueue::Entry* next = ready_.Next();
      ++served[next];
      ready_.Charge(next, 1);
    }
    return served;
  }

  ReadyQueue ready_;
  std::vector<std::unique_ptr<ReadyQueue::Entry>> entries_;
};

TEST_F(ReadyQueueTest, IsNobodysTurnWhenNothingIsReady) {
  EXPECT_EQ(ready_.Next(), nullptr);
  ready_.Leave(&Add("q"));
  EXPECT_EQ(ready_.Next(), nullptr);
  EXPECT_EQ(ready_.size(), 0);
}

TEST_F(ReadyQueueTest, QueuesTakeTurnsHoweverManyBatchesTheyHave) {
  auto& alone = Add("quiet");
  for (int i = 0; i < 9; ++i) Add("busy");
  EXPECT_EQ(Serve(100)[&alone], 50);
}

TEST_F(ReadyQueueTest, APriorityIsAShareOfItsQueue) {
  auto& plain = Add("q");
  auto& preferred = Add("q", "", 10);
  auto served = Serve(300);
  EXPECT_EQ(served[&plain], 100);
  EXPECT_EQ(served[&preferred], 200);
}

TEST_F(ReadyQueueTest, TheLowestPriorityGetsItsTurnToo) {
  auto& lowest = Add("q", "", -100);
  Add("q", "", 100);
  // 2^-10 against 2^10.
  EXPECT_EQ(Serve(1 << 21)[&lowest], 2);
}

TEST_F(ReadyQueueTest, BatchesWithOneFairnessKeyShareOneTurn) {
  auto& alone = Add("q");
  for (int i = 0; i < 9; ++i) Add("q", "tenant");
  EXPECT_EQ(Serve(100)[&alone], 50);
}

TEST_F(ReadyQueueTest, AClosedQueueGetsNoTurnUntilItOpens) {
  auto& here = Add("open");
  auto& there = Add("closed");
  ready_.SetOpen(ready_.LaneOf("closed"), false);
  EXPECT_EQ(Serve(10)[&here], 10);
  ready_.SetOpen(ready_.LaneOf("closed"), true);
  EXPECT_EQ(Serve(10)[&there], 5);
}

TEST_F(ReadyQueueTest, JoiningOrLeavingTwiceChangesNothing) {
  auto& entry = Add("q");
  ready_.Join(&entry);
  EXPECT_EQ(ready_.size(), 1);
  ready_.Leave(&entry);
  ready_.Leave(&entry);
  EXPECT_EQ(ready_.size(), 0);
}

TEST_F(ReadyQueueTest, AKeyWhoseBatchesComeAndGoGainsNothingByIt) {
  auto& steady = Add("q");
  auto& restless = Add("q", "tenant");
  int of_restless = 0;
  for (int i = 0; i < 100; ++i) {
    ReadyQueue::Entry* next = ready_.Next();
    ready_.Charge(next, 1);
    if (next != &restless) continue;
    ++of_restless;
    ready_.Leave(&restless);
    ready_.Join(&restless);
  }
  EXPECT_EQ(of_restless, 50);
  EXPECT_TRUE(steady.waits());
}

}  // namespace
}  // namespace jobrunner::engine
