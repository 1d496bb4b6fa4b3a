// A thread that does what others must not spend their time on.

#pragma once

#include <map>
#include <thread>

#include "absl/functional/any_invocable.h"
#include "base/clock.h"
#include "base/mailbox.h"

namespace jobrunner::rpc {

// Runs tasks one after the other on a thread of its own. The engine's thread hands its answers over
// here, so that it never serializes a message, nor sends one.
class Dispatcher {
 public:
  using Task = absl::AnyInvocable<void()>;

  Dispatcher();
  // Stops.
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Any thread; does not block. After Stop the task is dropped.
  void Post(Task task);

  // As Post, but not before `time`. Dropped if that has not come when Stop is called.
  void PostAt(base::SteadyTime time, Task task);

  // Returns when everything that was due has run. Not from a task; safe to call twice.
  void Stop();

 private:
  struct Item {
    base::SteadyTime time;
    Task task;
  };

  void Run();
  void RunDue();

  const base::RealClock clock_;
  base::Mailbox<Item> mailbox_;
  // The thread's own: what has to wait for its time.
  std::multimap<base::SteadyTime, Task> later_;
  std::thread thread_;
};

}  // namespace jobrunner::rpc
