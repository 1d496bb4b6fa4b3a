#include "server/hard_exit.h"

#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"

namespace jobrunner::server {
namespace {

base::SteadyTime Now() { return std::chrono::steady_clock::now(); }

TEST(HardExitTest, WithoutADeadlineItDoesNothing) {
  bool called = false;
  {
    HardExit exit([&] { called = true; });
  }
  EXPECT_FALSE(called);
}

TEST(HardExitTest, AnEndInTimeAvertsIt) {
  bool called = false;
  {
    HardExit exit([&] { called = true; });
    exit.By(Now() + std::chrono::hours(1));
  }
  EXPECT_FALSE(called);
}

TEST(HardExitTest, TheEarliestDeadlineCounts) {
  absl::Notification called;
  HardExit exit([&] { called.Notify(); });
  exit.By(Now() + std::chrono::hours(1));
  exit.By(Now());
  exit.By(Now() + std::chrono::hours(2));
  called.WaitForNotification();
}

}  // namespace
}  // namespace jobrunner::server
