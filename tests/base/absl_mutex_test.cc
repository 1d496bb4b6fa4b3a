// That absl's locks are understood by the sanitizer of the build; in other builds, that they lock.

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

namespace jobrunner::base {
namespace {

TEST(AbslMutex, GuardsACounter) {
  absl::Mutex mutex;
  int count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) {
        absl::MutexLock lock(&mutex);
        ++count;
      }
    });
  }
  {
    const auto all_counted = [&] { return count == 4000; };
    absl::MutexLock lock(&mutex, absl::Condition(&all_counted));
    EXPECT_EQ(count, 4000);
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(AbslMutex, AwaitEndsAtItsTimeout) {
  absl::Mutex mutex;
  const bool never = false;
  absl::MutexLock lock(&mutex);
  EXPECT_FALSE(mutex.AwaitWithTimeout(absl::Condition(&never), absl::Milliseconds(1)));
}

TEST(AbslMutex, ACondVarPassesABallBackAndForth) {
  absl::Mutex mutex;
  absl::CondVar moved;
  int ball = 0;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) {
      absl::MutexLock lock(&mutex);
      while (ball % 2 == 0) moved.Wait(&mutex);
      ++ball;
      moved.Signal();
    }
  });
  for (int i = 0; i < 100; ++i) {
    absl::MutexLock lock(&mutex);
    while (ball % 2 == 1) moved.Wait(&mutex);
    ++ball;
    moved.SignalAll();
  }
  other.join();
  EXPECT_EQ(ball, 200);
}

TEST(AbslNotification, WhatWasWrittenBeforeIsSeenAfter) {
  absl::Notification done;
  int value = 0;
  std::thread writer([&] {
    value = 5;
    done.Notify();
  });
  done.WaitForNotification();
  EXPECT_EQ(value, 5);
  EXPECT_TRUE(done.HasBeenNotified());
  writer.join();
}

}  // namespace
}  // namespace jobrunner::base
