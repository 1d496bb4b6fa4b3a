#include "rpc/dispatcher.h"

#include <gtest/gtest.h>

#include <vector>

#include "absl/synchronization/notification.h"

namespace jobrunner::rpc {
namespace {

class DispatcherTest : public ::testing::Test {
 protected:
  Dispatcher dispatcher_;
};

TEST_F(DispatcherTest, RunsTasksInTheirOrder) {
  std::vector<int> ran;
  for (int i = 0; i < 100; ++i) dispatcher_.Post([&ran, i] { ran.push_back(i); });
  dispatcher_.Stop();
  ASSERT_EQ(ran.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ran[i], i);
}

TEST_F(DispatcherTest, RunsWhatATaskPosts) {
  absl::Notification ran;
  dispatcher_.Post([&] { dispatcher_.Post([&] { ran.Notify(); }); });
  ran.WaitForNotification();
}

TEST_F(DispatcherTest, DropsWhatIsPostedAfterItsEnd) {
  dispatcher_.Stop();
  bool ran = false;
  dispatcher_.Post([&] { ran = true; });
  dispatcher_.Stop();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace jobrunner::rpc
