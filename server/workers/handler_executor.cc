#include "workers/handler_executor.h"

#include <utility>

#include "workers/handler_attempts.h"

namespace jobrunner::workers {

using base::SteadyTime;

namespace {

SteadyTime Now() { return std::chrono::steady_clock::now(); }

// Outcomes of handlers that never block are reported so many at once.
constexpr size_t kQuickRunMax = 128;

// Runs the handlers' stop callbacks, hence on the enforcer's thread or the destructor's, never on
// the engine's.
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
      quick_runner_([this] { RunQuick(); }),
      enforcer_([this] { Enforce(); }) {}

HandlerExecutor::~HandlerExecutor() {
  quick_.Close();
  quick_runner_.join();
  orders_.Close();
  enforcer_.join();
  for (const auto& attempt : threads_.Close()) {
    const bool reported =
        attempts_->End(attempt->EndedWithout("was stopped before it began", Now()));
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
  std::vector<QuickRun> quick;
  std::string_view name;
  std::shared_ptr<Handler> handler;
  for (NumberedAssignment& one : work) {
    // Mostly the same as the one before.
    if (const std::string& its_name = one.assignment.job().handler().name(); its_name != name) {
      name = its_name;
      handler = registry_->Find(name);
      if (handler != nullptr && handler->never_blocks()) quick.push_back({handler, {}});
    }
    if (handler != nullptr && handler->never_blocks()) {
      if (quick.back().work.size() == kQuickRunMax) quick.push_back({handler, {}});
      quick.back().work.push_back(std::move(one));
    } else {
      attempts.push_back(std::make_unique<HandlerAttempt>(std::move(one), handler, sink_, logger_));
    }
  }
  if (!quick.empty()) quick_.PutAll(std::move(quick));
  if (attempts.empty()) return;
  attempts_->Add(attempts);
  threads_.Add(std::move(attempts));
}

void HandlerExecutor::RunQuick() {
  std::vector<QuickRun> runs;
  while (quick_.Take(&runs)) {
    for (QuickRun& run : runs) {
      std::vector<engine::Outcome> outcomes;
      outcomes.reserve(run.work.size());
      SteadyTime start = Now();
      for (NumberedAssignment& one : run.work) {
        HandlerAttempt attempt(std::move(one), run.handler, sink_, logger_);
        outcomes.push_back(attempt.Run(start));
        const SteadyTime end = Now();
        outcomes.back().run_time = end - std::exchange(start, end);
      }
      sink_->Finished(std::move(outcomes));
    }
  }
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
