#include "workers/handler_attempts.h"

#include <algorithm>
#include <utility>

namespace jobrunner::workers {

using base::SteadyTime;

void HandlerAttempts::Add(const std::vector<std::unique_ptr<HandlerAttempt>>& attempts) {
  absl::MutexLock lock(&mutex_);
  for (const auto& attempt : attempts) {
    entries_.insert_or_assign(attempt->token(), Entry{.attempt = attempt.get()});
  }
}

std::vector<std::stop_source> HandlerAttempts::MarkStopped(
    const std::vector<engine::StopOrder>& orders, SteadyTime now) {
  std::vector<std::stop_source> sources;
  absl::MutexLock lock(&mutex_);
  for (const engine::StopOrder& order : orders) {
    const auto found = entries_.find(order.token);
    if (found == entries_.end() || found->second.abandoned) continue;
    Entry& entry = found->second;
    const SteadyTime forced = now + order.grace;
    // A longer grace than before changes nothing.
    if (forced >= entry.forced) continue;
    entry.forced = forced;
    stopping_.emplace(forced, order.token);
    if (auto source = entry.attempt->MarkStopped()) sources.push_back(*std::move(source));
  }
  return sources;
}

std::vector<std::stop_source> HandlerAttempts::MarkAllStopped() {
  std::vector<std::stop_source> sources;
  absl::MutexLock lock(&mutex_);
  for (auto& [token, entry] : entries_) {
    if (entry.abandoned) continue;
    if (auto source = entry.attempt->MarkStopped()) sources.push_back(*std::move(source));
  }
  return sources;
}

SteadyTime HandlerAttempts::NextForced() const {
  absl::MutexLock lock(&mutex_);
  return stopping_.empty() ? SteadyTime::max() : stopping_.begin()->first;
}

int HandlerAttempts::AbandonOverdue(SteadyTime now) {
  int abandoned = 0;
  absl::MutexLock lock(&mutex_);
  while (!stopping_.empty() && stopping_.begin()->first <= now) {
    const auto found = entries_.find(stopping_.begin()->second);
    stopping_.erase(stopping_.begin());
    if (found != entries_.end()) abandoned += Abandon(found->second, now);
  }
  return abandoned;
}

int HandlerAttempts::AbandonAll() {
  int abandoned = 0;
  absl::MutexLock lock(&mutex_);
  const SteadyTime now = std::chrono::steady_clock::now();
  for (auto& [token, entry] : entries_) abandoned += Abandon(entry, now);
  sink_ = nullptr;
  return abandoned;
}

bool HandlerAttempts::Abandon(Entry& entry, SteadyTime now) {
  if (std::exchange(entry.abandoned, true)) return false;
  entry.attempt->Silence();
  engine::Outcome outcome = entry.attempt->EndedWithout("ignored its stop and was abandoned", now);
  outcome.abandoned = true;
  // With the lock held, so that the slot cannot be returned before.
  if (sink_ != nullptr) sink_->Finished(std::move(outcome));
  return true;
}

bool HandlerAttempts::End(engine::Outcome outcome) {
  engine::AttemptSink* sink = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = entries_.find(outcome.token);
    const bool abandoned = found->second.abandoned;
    entries_.erase(found);
    if (abandoned) {
      if (sink_ != nullptr) sink_->SlotReturned(outcome.token);
      return false;
    }
    sink = sink_;
  }
  if (sink != nullptr) sink->Finished(std::move(outcome));
  return true;
}

}  // namespace jobrunner::workers
