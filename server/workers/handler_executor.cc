#include "workers/handler_executor.h"

#include <utility>

#include "workers/handler_attempts.h"

namespace jobrunner::workers {

using base::SteadyTime;

namespace {

SteadyTime Now() { return std::chrono::steady_clock::now(); }

// Runs the handlers' stop callbacks, hence on the enforcer's thread or the destructor's, never on the
// engine's.
void RequestStops(std::vector<std::stop_source> sources) {
  for (std::stop_source& source : sources) source.request_stop();
}

}  // namespace

HandlerExecutor::HandlerExecutor(const HandlerRegistry* registry, engine::AttemptSink* sink,
                                 base::Logger* logger)
    : registry_(registry),
      sink_(sink),
      logger_(logger),
      attempts_(std::make_shared<HandlerAttempts>(sink)),
      threads_([attempts = attempts_](std::unique_ptr<HandlerAttempt> attempt) {
        const SteadyTime start = Now();
        engine::Outcome outcome = attempt->Run(start);
        const SteadyTime end = Now();
        outcome.run_time = end - start;
        const bool lost = !attempts->End(std::move(outcome));
        return HandlerThreads::Performed{.start = start, .end = end, .was_lost = lost};
      }),
      enforcer_([this] { Enforce(); }) {}

HandlerExecutor::~HandlerExecutor() {
  orders_.Close();
  enforcer_.join();
  for (const auto& attempt : threads_.Close()) {
    const bool reported = attempts_->End(attempt->EndedWithout("was stopped before it began", Now()));
    if (!reported) threads_.CountLost(-1);
  }
  RequestStops(attempts_->MarkAllStopped());
  if (threads_.AwaitReturn(Now() + kEndTime)) return;
  threads_.CountLost(attempts_->AbandonAll());
  // Who is not lost now is about to return.
  threads_.AwaitReturn(SteadyTime::max());
}

void HandlerExecutor::Start(std::vector<NumberedAssignment> work) {
  std::vector<std::unique_ptr<HandlerAttempt>> attempts;
  attempts.reserve(work.size());
  for (NumberedAssignment& one : work) {
    std::shared_ptr<Handler> handler =
        registry_->Find(one.assignment.job().handler().name());
    attempts.push_back(
        std::make_unique<HandlerAttempt>(std::move(one), std::move(handler), sink_, logger_));
  }
  attempts_->Add(attempts);
  threads_.Add(std::move(attempts));
}

void HandlerExecutor::Stop(const std::vector<engine::StopOrder>& orders) { orders_.PutAll(orders); }

void HandlerExecutor::Enforce() {
  std::vector<engine::StopOrder> orders;
  while (orders_.TakeUntil(attempts_->NextForced(), &orders)) {
    RequestStops(attempts_->MarkStopped(orders, Now()));
    threads_.CountLost(attempts_->AbandonOverdue(Now()));
  }
}

}  // namespace jobrunner::workers
