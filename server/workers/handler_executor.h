#pragma once

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/logging.h"
#include "base/mailbox.h"
#include "engine/attempt.h"
#include "engine/executor.h"
#include "workers/handler_registry.h"
#include "workers/handler_threads.h"
#include "workers/numbered_assignment.h"

namespace jobrunner::workers {

class HandlerAttempts;

// Runs the attempts at handlers' jobs in this process. Each attempt has one outcome, reported when
// it ended; one that ignores its stop past the grace is abandoned: its outcome is reported at once,
// and when it returns after all, so is its slot.
//
// Any thread may call it; only the destructor blocks: it asks what still runs to stop, waits up to
// kEndTime, and abandons the rest. Nothing is reported after it.
class HandlerExecutor {
 public:
  // `registry`, `sink` and `logger` outlive the executor.
  HandlerExecutor(const HandlerRegistry* registry, engine::AttemptSink* sink, base::Logger* logger);
  ~HandlerExecutor();

  void Start(std::vector<NumberedAssignment> work);

  // Attempts that have ended, or were never started here, are ignored.
  void Stop(const std::vector<engine::StopOrder>& orders);

  // Idle threads that are kept.
  void KeepIdle(int threads) { threads_.KeepIdle(threads); }

  // Threads there are for handlers now.
  int threads() const { return threads_.count(); }

  static constexpr std::chrono::seconds kEndTime{1};

 private:
  // The life of the thread that runs the handlers that never block.
  void RunQuick();

  // The life of the thread that asks attempts to stop and abandons them.
  void Enforce();

  // Attempts at one handler.
  struct QuickRun {
    std::shared_ptr<Handler> handler;
    std::vector<NumberedAssignment> work;
  };

  const HandlerRegistry* const registry_;
  engine::AttemptSink* const sink_;
  base::Logger* const logger_;
  // Shared with the threads, since a lost attempt may outlive this object.
  const std::shared_ptr<HandlerAttempts> attempts_;
  HandlerThreads threads_;
  // Attempts at handlers that never block, in the runs in which they came.
  base::Mailbox<QuickRun> quick_;
  base::Mailbox<engine::StopOrder> orders_;
  std::thread quick_runner_;
  std::thread enforcer_;
};

}  // namespace jobrunner::workers
