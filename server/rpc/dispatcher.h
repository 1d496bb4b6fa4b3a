// A thread that does what others must not spend their time on.

#pragma once

#include <thread>

#include "absl/functional/any_invocable.h"
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

  // Returns when everything that was posted has run. Not from a task; safe to call twice.
  void Stop();

 private:
  void Run();

  base::Mailbox<Task> mailbox_;
  std::thread thread_;
};

}  // namespace jobrunner::rpc
