#include "rpc/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "absl/synchronization/notification.h"

namespace jobrunner::rpc {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using ::testing::ElementsAre;

class DispatcherTest : public ::testing::Test {
 protected:
  base::SteadyTime Now() const { return base::RealClock().Read().steady; }

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

TEST_F(DispatcherTest, HoldsTasksUntilTheirTime) {
  std::vector<int> ran;
  absl::Notification done;
  const base::SteadyTime now = Now();
  dispatcher_.PostAt(now + milliseconds(3), [&] {
    ran.push_back(3);
    done.Notify();
  });
  dispatcher_.PostAt(now + milliseconds(2), [&] { ran.push_back(2); });
  dispatcher_.Post([&] { ran.push_back(1); });
  done.WaitForNotification();
  EXPECT_GE(Now() - now, milliseconds(3));
  dispatcher_.Stop();
  EXPECT_THAT(ran, ElementsAre(1, 2, 3));
}

TEST_F(DispatcherTest, DoesNotWaitAtItsEndForWhatIsNotDue) {
  bool ran = false;
  dispatcher_.PostAt(Now() + hours(1), [&] { ran = true; });
  dispatcher_.Stop();
  EXPECT_FALSE(ran);
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
