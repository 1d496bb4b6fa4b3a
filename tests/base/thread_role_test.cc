#include "base/thread_role.h"

#include <gtest/gtest.h>

namespace jobrunner::base {
namespace {

class Counter {
 public:
  ThreadRole* role() ABSL_LOCK_RETURNED(role_) { return &role_; }

  void Increment() ABSL_EXCLUSIVE_LOCKS_REQUIRED(role_) { ++count_; }

  void IncrementFromACallback() {
    role_.AssertHeld();
    Increment();
  }

  int Count() {
    ThreadRoleScope scope(&role_);
    return count_;
  }

 private:
  ThreadRole role_;
  int count_ ABSL_GUARDED_BY(role_) = 0;
};

TEST(ThreadRole, ItsPlayerMayTouchWhatItGuards) {
  Counter counter;
  {
    ThreadRoleScope scope(counter.role());
    counter.IncrementFromACallback();
  }
  EXPECT_EQ(counter.Count(), 1);
}

TEST(ThreadRole, AnotherThreadMayTakeItAfterItWasGivenUp) {
  Counter counter;
  std::thread([&] {
    ThreadRoleScope scope(counter.role());
    counter.IncrementFromACallback();
  }).join();
  EXPECT_EQ(counter.Count(), 1);
}

TEST(ThreadRoleDeathTest, AssertAbortsWhenNobodyPlaysIt) {
  Counter counter;
  EXPECT_DEATH(counter.IncrementFromACallback(), "check failed");
}

TEST(ThreadRoleDeathTest, AssertAbortsInAThreadThatDoesNotPlayIt) {
  Counter counter;
  ThreadRoleScope scope(counter.role());
  EXPECT_DEATH(std::thread([&] { counter.IncrementFromACallback(); }).join(), "check failed");
}

TEST(ThreadRoleDeathTest, TakingARoleThatIsPlayedAborts) {
  ThreadRole role;
  EXPECT_DEATH(
      {
        ThreadRoleScope scope(&role);
        std::thread([&] { ThreadRoleScope second(&role); }).join();
      },
      "check failed");
}

}  // namespace
}  // namespace jobrunner::base
