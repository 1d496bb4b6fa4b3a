#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/clock.h"
#include "base/monitor.h"
#include "workers/handler_attempt.h"

namespace jobrunner::workers {

// Threads that perform attempts at handlers' jobs: as many as block at once, made as they are
// needed and ended when they have been idle. At least one thread is always there.
//
// Waking is a cascade: at most one thread is on its way to the queue at a time, and sends for the
// next when it takes an attempt and sees more. Where attempts take no time, one thread does them,
// and the next only stands by until that one has not come back for kStallTime. So a thousand jobs
// that do nothing are done by one thread, and a thousand that block have a thousand threads at
// once.
//
// Any thread may call it. Nothing but AwaitReturn blocks.
class HandlerThreads {
 public:
  struct Performed {
    // Of the handler's own work.
    base::SteadyTime start;
    base::SteadyTime end;
    // It had been counted as lost.
    bool was_lost;
  };
  // Performs the attempt. Blocks as long as that takes.
  using Perform = std::function<Performed(std::unique_ptr<HandlerAttempt> attempt)>;

  explicit HandlerThreads(Perform perform);
  // Closes, and waits for threads that are not lost.
  ~HandlerThreads();

  void Add(std::vector<std::unique_ptr<HandlerAttempt>> attempts);

  // Idle threads that are kept, at least 1.
  void KeepIdle(int threads);

  // So many more attempts will not be waited for.
  void CountLost(int threads);

  // Attempts that no thread took.
  using Untaken = std::deque<std::unique_ptr<HandlerAttempt>>;

  // Takes no more work: the threads end when they come back. Returns what was not taken.
  Untaken Close();

  // After Close: waits until `deadline` for the threads at work that are not lost. True when all
  // came back. Those that did not go on, and end by themselves.
  bool AwaitReturn(base::SteadyTime deadline);

  // Threads there are now.
  int count() const;

  // How long a thread stays without work.
  static constexpr std::chrono::seconds kIdleTime{10};
  // Attempts that end within this time are best done one after the other by one thread.
  static constexpr std::chrono::microseconds kQuickTime{20};
  // How long that thread may go without taking the next one.
  static constexpr std::chrono::microseconds kStallTime{200};

 private:
  class Crew;
  // Shared with each thread, since one that performs a lost attempt may outlive this object.
  const std::shared_ptr<Crew> crew_;
};

}  // namespace jobrunner::workers
