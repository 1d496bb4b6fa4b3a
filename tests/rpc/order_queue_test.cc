#include "rpc/order_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jobrunner::rpc {
namespace {

using engine::RemoteOrders;
using testing::SizeIs;

constexpr engine::WorkerId kWorker = 1;

RemoteOrders Start(uint64_t number) {
  RemoteOrders orders;
  orders.starts.emplace_back().token.number = number;
  return orders;
}

RemoteOrders Acknowledge(uint64_t number) {
  RemoteOrders orders;
  orders.acknowledgements.push_back({kWorker, {.number = number}, true});
  return orders;
}

RemoteOrders Stop(uint64_t number) {
  RemoteOrders orders;
  orders.stops.emplace_back().token.number = number;
  return orders;
}

RemoteOrders Check(int64_t number) {
  RemoteOrders orders;
  orders.checks.push_back({kWorker, number, {}});
  return orders;
}

class OrderQueueTest : public testing::Test {
 protected:
  RemoteOrders Take() {
    auto orders = queue_.Take();
    EXPECT_TRUE(orders.has_value());
    return orders ? *std::move(orders) : RemoteOrders();
  }

  OrderQueue queue_;
};

TEST_F(OrderQueueTest, WakesTheWriterOnceUntilItIsIdleAgain) {
  EXPECT_TRUE(queue_.Put(Start(1)));
  EXPECT_FALSE(queue_.Put(Start(2)));
  EXPECT_FALSE(queue_.Wake());
  Take();
  EXPECT_FALSE(queue_.Put(Start(3))) << "the writer looks again when it has written";
  Take();
  EXPECT_FALSE(queue_.Take().has_value());
  EXPECT_TRUE(queue_.Wake());
  EXPECT_FALSE(queue_.Put(Start(4)));
}

TEST_F(OrderQueueTest, GathersStartsAndAcknowledgementsWhileTheWriterIsBusy) {
  for (uint64_t number = 1; number <= 100; ++number) {
    queue_.Put(Start(number));
    queue_.Put(Acknowledge(number));
  }
  const RemoteOrders orders = Take();
  EXPECT_THAT(orders.starts, SizeIs(100));
  EXPECT_THAT(orders.acknowledgements, SizeIs(100));
  EXPECT_EQ(orders.starts.front().token.number, 1u);
  EXPECT_EQ(orders.starts.back().token.number, 100u);
  EXPECT_FALSE(queue_.Take().has_value());
}

TEST_F(OrderQueueTest, NoStartPassesACheck) {
  queue_.Put(Start(1));
  queue_.Put(Check(1));
  queue_.Put(Start(2));
  queue_.Put(Acknowledge(1));
  const RemoteOrders first = Take();
  EXPECT_THAT(first.starts, SizeIs(1));
  EXPECT_THAT(first.checks, SizeIs(1));
  EXPECT_THAT(first.acknowledgements, SizeIs(0));
  const RemoteOrders second = Take();
  EXPECT_THAT(second.starts, SizeIs(1));
  EXPECT_THAT(second.acknowledgements, SizeIs(1));
}

TEST_F(OrderQueueTest, NoStopPassesItsStart) {
  queue_.Put(Start(1));
  queue_.Put(Stop(1));
  queue_.Put(Stop(2));
  EXPECT_THAT(Take().stops, SizeIs(0));
  EXPECT_THAT(Take().stops, SizeIs(2));
}

TEST_F(OrderQueueTest, TheWelcomeStaysInFrontOfWhatFollows) {
  RemoteOrders welcome;
  welcome.welcomes.push_back({kWorker, {}});
  queue_.Put(std::move(welcome));
  queue_.Put(Start(1));
  const RemoteOrders orders = Take();
  EXPECT_THAT(orders.welcomes, SizeIs(1));
  EXPECT_THAT(orders.starts, SizeIs(1));
}

TEST_F(OrderQueueTest, NothingIsPutBehindAnEnd) {
  RemoteOrders end;
  end.ends.push_back({kWorker, absl::AbortedError("over")});
  queue_.Put(Start(1));
  queue_.Put(std::move(end));
  queue_.Put(Start(2));
  const RemoteOrders first = Take();
  EXPECT_THAT(first.starts, SizeIs(1));
  EXPECT_THAT(first.ends, SizeIs(1));
  EXPECT_THAT(Take().starts, SizeIs(1));
}

}  // namespace
}  // namespace jobrunner::rpc
