#include "engine/event_log.h"

#include <utility>

namespace jobrunner::engine {
namespace {

void Tell(const std::vector<std::weak_ptr<LogReader>>& readers) {
  for (const auto& weak : readers) {
    if (auto reader = weak.lock()) reader->LogGrew();
  }
}

}  // namespace

EventLogs::Awaited EventLogs::Await(std::string_view batch_id, int64_t after_sequence,
                                    std::weak_ptr<LogReader> reader) {
  absl::MutexLock lock(&mutex_);
  auto found = live_.find(std::string(batch_id));
  if (found == live_.end()) return Awaited::kNotLive;
  if (found->second.last_sequence > after_sequence) return Awaited::kGrew;
  found->second.waiting.push_back(std::move(reader));
  return Awaited::kWaiting;
}

int64_t EventLogs::LastSequence(std::string_view batch_id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = live_.find(std::string(batch_id));
  return found == live_.end() ? 0 : found->second.last_sequence;
}

void EventLogs::Open(std::string_view batch_id, int64_t last_sequence) {
  absl::MutexLock lock(&mutex_);
  live_[std::string(batch_id)].last_sequence = last_sequence;
}

void EventLogs::Published(std::string_view batch_id, int64_t last_sequence, bool finished) {
  std::vector<std::weak_ptr<LogReader>> waiting;
  {
    absl::MutexLock lock(&mutex_);
    auto found = live_.find(std::string(batch_id));
    if (found == live_.end()) return;
    found->second.last_sequence = last_sequence;
    waiting = std::exchange(found->second.waiting, {});
    if (finished) live_.erase(found);
  }
  Tell(waiting);
}

void EventLogs::WakeAll() {
  std::vector<std::weak_ptr<LogReader>> waiting;
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [id, live] : live_) {
      for (auto& reader : live.waiting) waiting.push_back(std::move(reader));
      live.waiting.clear();
    }
  }
  Tell(waiting);
}

}  // namespace jobrunner::engine
