#include "worker/held_attempts.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "base/utf8.h"
#include "engine/limits.h"
#include "worker/attempt_messages.h"

namespace jobrunner::worker {

using engine::AttemptToken;

namespace {

// One more outcome fits into the message then: a command has two outputs.
constexpr int64_t kOutcomesBytes =
    engine::kWorkerMessageBytesMax - 2 * engine::kOutputBytesMax - (64 << 10);
static_assert(kOutcomesBytes > 0);

}  // namespace

std::optional<AttemptToken> HeldAttempts::Add(const v1::Assignment& assignment) {
  const Number number = last_number_ + 1;
  if (!by_id_.emplace(assignment.assignment_id(), number).second) return std::nullopt;
  attempts_[number].id = assignment.assignment_id();
  last_number_ = number;
  return AttemptToken{.number = number};
}

void HeldAttempts::Take(engine::Outcome outcome) {
  Attempt* const attempt = Find(outcome.token);
  // One that was given up is held until its handler returns: its slot is not free.
  if (attempt == nullptr || outcome.abandoned) return;
  // Its spawner died. The answer to the next check does not name it, so that it runs again.
  if (outcome.failure != nullptr && outcome.failure->reason == v1::REASON_WORKER_LOST) {
    return Remove({outcome.token});
  }
  attempt->outcome = TakeOutcome(outcome);
  attempt->outcome->set_assignment_id(attempt->id);
  outcomes_.push_back(outcome.token.number);
}

void HeldAttempts::Take(engine::OutputChunk chunk) {
  const Attempt* const attempt = Find(chunk.token);
  if (attempt == nullptr) return;
  v1::AttemptOutput& output = outputs_.emplace_back();
  output.set_assignment_id(attempt->id);
  output.set_output(std::move(chunk.output));
  output.set_error_output(std::move(chunk.error_output));
}

void HeldAttempts::Take(engine::ProgressReport report) {
  Attempt* const attempt = Find(report.token);
  if (attempt == nullptr) return;
  if (!attempt->progress) progress_.push_back(report.token.number);
  v1::AttemptProgress& progress = attempt->progress.emplace();
  progress.set_assignment_id(attempt->id);
  progress.set_fraction(report.fraction);
  progress.set_message(base::ValidUtf8(report.message, engine::kErrorMessageBytesMax));
}

void HeldAttempts::Return(const AttemptToken& token) {
  engine::Outcome outcome;
  outcome.token = token;
  // The server has given it up as well, and refuses whatever comes.
  outcome.failure = std::make_unique<engine::Failure>();
  outcome.failure->message = "ignored its stop";
  Take(std::move(outcome));
}

std::vector<AttemptToken> HeldAttempts::Find(const Ids& ids) const {
  std::vector<AttemptToken> tokens;
  for (const std::string& id : ids) {
    const auto found = by_id_.find(id);
    if (found != by_id_.end()) tokens.push_back({.number = found->second});
  }
  return tokens;
}

std::vector<AttemptToken> HeldAttempts::FindOthers(const Ids& ids) const {
  const absl::flat_hash_set<std::string> named(ids.begin(), ids.end());
  std::vector<AttemptToken> tokens;
  for (const auto& [number, attempt] : attempts_) {
    if (!named.contains(attempt.id)) tokens.push_back({.number = number});
  }
  return tokens;
}

void HeldAttempts::Remove(const std::vector<AttemptToken>& tokens) {
  for (const AttemptToken& token : tokens) {
    by_id_.erase(attempts_.at(token.number).id);
    attempts_.erase(token.number);
  }
}

void HeldAttempts::Acknowledge(const std::string& id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  attempts_.erase(found->second);
  by_id_.erase(found);
}

void HeldAttempts::SayOutcomesAgain() {
  outcomes_.clear();
  for (const auto& [number, attempt] : attempts_) {
    if (attempt.outcome) outcomes_.push_back(number);
  }
}

std::optional<v1::WorkRequest> HeldAttempts::NextMessage() {
  v1::WorkRequest message;
  // Before the outcomes, after which nothing is taken of an attempt.
  if (!outputs_.empty()) {
    *message.mutable_output() = std::move(outputs_.front());
    outputs_.pop_front();
    return message;
  }
  while (!progress_.empty()) {
    Attempt* const attempt = Find({.number = progress_.front()});
    progress_.pop_front();
    if (attempt == nullptr) continue;
    *message.mutable_progress() = *std::exchange(attempt->progress, std::nullopt);
    return message;
  }
  *message.mutable_outcomes() = NextOutcomes();
  if (message.outcomes().outcomes().empty()) return std::nullopt;
  return message;
}

v1::AttemptOutcomes HeldAttempts::NextOutcomes() {
  v1::AttemptOutcomes message;
  int64_t bytes = 0;
  while (!outcomes_.empty() && bytes < kOutcomesBytes) {
    const Attempt* const attempt = Find({.number = outcomes_.front()});
    outcomes_.pop_front();
    if (attempt == nullptr) continue;
    bytes += static_cast<int64_t>(attempt->outcome->ByteSizeLong());
    *message.add_outcomes() = *attempt->outcome;
  }
  return message;
}

void HeldAttempts::List(Ids* ids) const {
  for (const auto& [number, attempt] : attempts_) *ids->Add() = attempt.id;
}

HeldAttempts::Attempt* HeldAttempts::Find(const AttemptToken& token) {
  const auto found = attempts_.find(token.number);
  return found == attempts_.end() ? nullptr : &found->second;
}

}  // namespace jobrunner::worker
