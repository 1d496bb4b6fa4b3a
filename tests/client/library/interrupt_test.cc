#include "client/library/interrupt.h"

#include <gtest/gtest.h>

#include <thread>

#include "absl/synchronization/notification.h"

namespace jobrunner::client {
namespace {

TEST(InterruptTest, EndsAWaitThatHasBegun) {
  // In most rounds the other thread waits by then: one that was not woken would wait for an hour.
  for (int round = 0; round < 100; ++round) {
    Interrupt interrupt;
    absl::Notification about_to_wait;
    bool slept_well = true;
    std::thread sleeper([&] {
      about_to_wait.Notify();
      slept_well = interrupt.Sleep(absl::Hours(1));
    });
    about_to_wait.WaitForNotification();
    std::this_thread::yield();
    interrupt.Fire();
    sleeper.join();
    EXPECT_FALSE(slept_well);
  }
}

TEST(InterruptTest, LetsNoWaitBeginOnceItWasFired) {
  Interrupt interrupt;
  interrupt.Fire();
  EXPECT_FALSE(interrupt.Sleep(absl::Hours(1)));
}

TEST(InterruptTest, AWaitOfNoTimeIsOver) {
  Interrupt interrupt;
  EXPECT_TRUE(interrupt.Sleep(absl::ZeroDuration()));
}

}  // namespace
}  // namespace jobrunner::client
