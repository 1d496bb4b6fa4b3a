#pragma once

#include <atomic>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "base/check.h"

namespace jobrunner::base {

// A role that one thread at a time plays, as "the loop's thread". It is a capability for clang's
// thread-safety analysis, as a mutex is, so that the compiler proves what only that thread may
// touch (the idea of WebRTC's SequenceChecker):
//
//   void Step() ABSL_EXCLUSIVE_LOCKS_REQUIRED(role_);
//   State state_ ABSL_GUARDED_BY(role_);
//
// The thread takes the role with a ThreadRoleScope. Nothing here blocks: a second thread that takes
// a role already played is a bug, and aborts.
class ABSL_LOCKABLE ThreadRole {
 public:
  ThreadRole() = default;
  ThreadRole(const ThreadRole&) = delete;
  ThreadRole& operator=(const ThreadRole&) = delete;

  void Take() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    std::thread::id nobody;
    JOBRUNNER_CHECK(player_.compare_exchange_strong(nobody, std::this_thread::get_id()));
  }

  void GiveUp() ABSL_UNLOCK_FUNCTION() {
    JOBRUNNER_CHECK(player_.load() == std::this_thread::get_id());
    player_.store(std::thread::id());
  }

  // Aborts unless the calling thread plays the role; from here on the compiler knows that it does.
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() {
    JOBRUNNER_CHECK(player_.load(std::memory_order_relaxed) == std::this_thread::get_id());
  }

 private:
  std::atomic<std::thread::id> player_;
};

// Plays a role from construction to the end of the scope.
class ABSL_SCOPED_LOCKABLE ThreadRoleScope {
 public:
  explicit ThreadRoleScope(ThreadRole* role) ABSL_EXCLUSIVE_LOCK_FUNCTION(role) : role_(*role) {
    role_.Take();
  }
  ~ThreadRoleScope() ABSL_UNLOCK_FUNCTION() { role_.GiveUp(); }
  ThreadRoleScope(const ThreadRoleScope&) = delete;
  ThreadRoleScope& operator=(const ThreadRoleScope&) = delete;

 private:
  ThreadRole& role_;
};

}  // namespace jobrunner::base
