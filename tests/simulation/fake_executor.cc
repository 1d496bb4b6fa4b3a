#include "simulation/fake_executor.h"

#include <memory>
#include <utility>
#include <vector>

namespace jobrunner::simulation {
namespace {

constexpr int32_t kWorkers = 4;

std::unique_ptr<engine::Failure> MakeFailure(v1::Reason reason, int32_t code) {
  auto failure = std::make_unique<engine::Failure>();
  failure->reason = reason;
  failure->code = code;
  return failure;
}

}  // namespace

FakeExecutor::FakeExecutor(Timeline* timeline, Chance* chance, Sink sink)
    : timeline_(timeline),
      chance_(*chance),
      sink_(std::move(sink)),
      failing_(0.1 * static_cast<double>(chance_.Between(0, 5))),
      disobeying_(0.1 * static_cast<double>(chance_.Between(0, 10))),
      slowest_ms_(chance_.Skewed(5, 20'000)) {}

void FakeExecutor::Start(engine::Assignment assignment) {
  const Number number = NumberOf(assignment.token);
  Attempt& attempt = attempts_[number];
  attempt.command = assignment.job().has_command();
  attempt.assignment = std::move(assignment);
  attempt.worker = static_cast<int32_t>(chance_.Between(1, kWorkers));
  Plan(number);
}

void FakeExecutor::Plan(Number number) {
  const bool talks = attempts_.at(number).assignment.stream_output || chance_.Of(0.02);
  if (talks) timeline_->In(chance_.Milliseconds(1, 200), [=, this] { Talk(number); });
  // Some never end by themselves.
  if (!calm_ && chance_.Of(0.02)) return;
  const auto time = calm_ ? chance_.Milliseconds(1, 50) : chance_.Milliseconds(1, slowest_ms_);
  timeline_->In(time, [=, this] { EndByItself(number); });
}

void FakeExecutor::Talk(Number number) {
  auto found = attempts_.find(number);
  if (found == attempts_.end()) return;
  const engine::AttemptToken token = found->second.assignment.token;
  if (chance_.Of(0.5)) {
    sink_.tell(engine::OutputChunk{token, "some output", "", false});
  } else {
    sink_.tell(engine::ProgressReport{token, 0.5, "half"});
  }
  if (chance_.Of(0.5)) timeline_->In(chance_.Milliseconds(1, 500), [=, this] { Talk(number); });
}

void FakeExecutor::Stop(const engine::StopOrder& order) {
  auto found = attempts_.find(NumberOf(order.token));
  if (found == attempts_.end()) return;
  Attempt& attempt = found->second;
  const Number number = NumberOf(order.token);
  timeline_->In(order.grace, [=, this] { EndForced(number); });
  if (std::exchange(attempt.stopped, true)) return;
  const bool obeys = calm_ || !chance_.Of(disobeying_);
  if (obeys) timeline_->In(chance_.Milliseconds(1, 2'000), [=, this] { EndStopped(number); });
}

void FakeExecutor::CrashWorker() {
  const auto worker = static_cast<int32_t>(chance_.Between(1, kWorkers));
  std::vector<Number> lost;
  for (const auto& [number, attempt] : attempts_) {
    if (attempt.worker == worker) lost.push_back(number);
  }
  for (const Number number : lost) Lose(number);
}

void FakeExecutor::CalmDown() {
  calm_ = true;
  for (const auto& entry : attempts_) {
    timeline_->In(chance_.Milliseconds(1, 1'000),
                  [number = entry.first, this] { EndByItself(number); });
  }
}

void FakeExecutor::EndByItself(Number number) {
  auto found = attempts_.find(number);
  if (found == attempts_.end()) return;
  if (!calm_ && chance_.Of(0.02)) return Lose(number);
  engine::Outcome outcome;
  outcome.output = "result";
  if (found->second.command) outcome.command = std::make_unique<engine::CommandOutcome>();
  if (!calm_ && chance_.Of(failing_)) FillFailure(found->second, &outcome);
  End(number, std::move(outcome));
}

void FakeExecutor::FillFailure(const Attempt& attempt, engine::Outcome* outcome) {
  if (attempt.command && chance_.Of(0.1)) {
    outcome->failure = MakeFailure(v1::REASON_SPAWN_FAILED, 9);
    outcome->failure->final = true;
  } else if (attempt.command && chance_.Of(0.2)) {
    outcome->failure = MakeFailure(v1::REASON_SIGNAL, 2);
    outcome->command->signal = 11;
  } else if (attempt.command) {
    outcome->failure = MakeFailure(v1::REASON_EXIT_CODE, 2);
    outcome->command->exit_code = static_cast<int32_t>(chance_.Between(1, 3));
  } else if (attempt.assignment.job().has_http()) {
    outcome->failure = MakeFailure(v1::REASON_HTTP_STATUS, 14);
    if (chance_.Of(0.5)) outcome->failure->retry_after = chance_.Milliseconds(0, 100'000);
  } else {
    outcome->failure =
        MakeFailure(v1::REASON_HANDLER, static_cast<int32_t>(chance_.Between(1, 16)));
    outcome->failure->critical = chance_.Of(0.02);
    outcome->failure->final = chance_.Of(0.1);
  }
}

void FakeExecutor::EndStopped(Number number) {
  auto found = attempts_.find(number);
  if (found == attempts_.end()) return;
  engine::Outcome outcome;
  // Some end well all the same.
  if (chance_.Of(0.8)) outcome.failure = MakeFailure(v1::REASON_HANDLER, 1);
  if (found->second.command) {
    outcome.command = std::make_unique<engine::CommandOutcome>();
    if (outcome.failure != nullptr) outcome.failure = MakeFailure(v1::REASON_SIGNAL, 2);
  }
  End(number, std::move(outcome));
}

void FakeExecutor::EndForced(Number number) {
  auto found = attempts_.find(number);
  if (found == attempts_.end()) return;
  engine::Outcome outcome;
  if (found->second.command) {
    outcome.failure = MakeFailure(v1::REASON_SIGNAL, 2);
    outcome.command = std::make_unique<engine::CommandOutcome>();
    outcome.command->signal = 9;
  } else {
    outcome.failure = MakeFailure(v1::REASON_HANDLER, 1);
    outcome.abandoned = true;
    const engine::AttemptToken token = found->second.assignment.token;
    // Told long after the outcome.
    timeline_->In(std::chrono::seconds(1) + chance_.Milliseconds(1, 10'000),
                  [=, this] { sink_.tell(engine::SlotReturned{token}); });
  }
  End(number, std::move(outcome));
}

void FakeExecutor::Lose(Number number) {
  engine::Outcome outcome;
  outcome.failure = MakeFailure(v1::REASON_WORKER_LOST, 14);
  End(number, std::move(outcome));
}

void FakeExecutor::End(Number number, engine::Outcome outcome) {
  const Attempt& attempt = attempts_.at(number);
  outcome.token = attempt.assignment.token;
  outcome.worker = attempt.worker;
  const engine::AttemptToken token = outcome.token;
  attempts_.erase(number);
  const auto latency = chance_.Of(0.5) ? std::chrono::nanoseconds(0) : chance_.Milliseconds(1, 20);
  TellLater(std::move(outcome), /*stale=*/false, latency);
  if (chance_.Of(0.97)) return;
  // Says it again, later, and says something else; or speaks of an attempt of another epoch.
  engine::Outcome again;
  again.token = token;
  if (chance_.Of(0.3)) --again.token.epoch;
  TellLater(std::move(again), /*stale=*/true, latency + chance_.Milliseconds(1, 5'000));
}

void FakeExecutor::TellLater(engine::Outcome outcome, bool stale, std::chrono::nanoseconds wait) {
  // A function that can be copied, for what cannot.
  auto held = std::make_shared<engine::Outcome>(std::move(outcome));
  timeline_->In(wait, [=, this] { sink_.finished(std::move(*held), stale); });
}

}  // namespace jobrunner::simulation
