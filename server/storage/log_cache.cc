#include "storage/log_cache.h"

#include <algorithm>
#include <utility>

namespace jobrunner::storage {

void LogCache::Resume(const std::string& batch_id, int64_t last_sequence) {
  absl::MutexLock lock(&mutex_);
  logs_[batch_id] = std::make_shared<Log>(Log{batch_id, {last_sequence, false}, {}, 0});
}

void LogCache::Apply(std::vector<LogUpdate> updates) {
  absl::MutexLock lock(&mutex_);
  for (LogUpdate& update : updates) Apply(update);
  Shrink();
}

void LogCache::Apply(LogUpdate& update) {
  if (update.kind == LogUpdate::Kind::kBegun) {
    logs_[update.batch_id] = std::make_shared<Log>(Log{update.batch_id, {}, {}, 0});
    return;
  }
  const auto found = logs_.find(update.batch_id);
  // A finished batch that is removed has mostly given way long ago.
  if (found == logs_.end()) return;
  switch (update.kind) {
    case LogUpdate::Kind::kBegun:
      break;
    case LogUpdate::Kind::kGrew:
      Grow(found->second, std::move(update.segment));
      break;
    case LogUpdate::Kind::kFinished:
      found->second->end.finished = true;
      if (found->second->segments.empty()) logs_.erase(found);
      break;
    case LogUpdate::Kind::kRemoved:
      logs_.erase(found);
      break;
  }
}

void LogCache::Grow(const std::shared_ptr<Log>& log,
                    std::shared_ptr<const engine::Segment> segment) {
  bytes_ += segment->ByteSize();
  log->end.last_sequence = segment->last_sequence();
  log->segments.push_back(std::move(segment));
  oldest_.push_back(log);
}

void LogCache::Shrink() {
  while (bytes_ > bytes_max_) {
    const std::shared_ptr<Log> log = std::move(oldest_.front());
    oldest_.pop_front();
    auto& segments = log->segments;
    bytes_ -= segments[log->given_way]->ByteSize();
    segments[log->given_way++] = nullptr;
    // Now and then, so that it costs little a segment.
    if (2 * log->given_way >= segments.size()) {
      segments.erase(segments.begin(), segments.begin() + static_cast<int64_t>(log->given_way));
      log->given_way = 0;
    }
    if (!segments.empty()) continue;
    segments.shrink_to_fit();
    // From here on the disk has all there is to know of it.
    if (log->end.finished) logs_.erase(log->batch_id);
  }
}

std::shared_ptr<LogCache::Log> LogCache::FindLog(std::string_view batch_id) const {
  const auto found = logs_.find(absl::string_view(batch_id.data(), batch_id.size()));
  return found == logs_.end() ? nullptr : found->second;
}

std::optional<LogCache::End> LogCache::Find(std::string_view batch_id) const {
  absl::MutexLock lock(&mutex_);
  const auto log = FindLog(batch_id);
  if (log == nullptr) return std::nullopt;
  return log->end;
}

std::optional<engine::LogPage> LogCache::Read(std::string_view batch_id, int64_t after_sequence,
                                              int64_t bytes_max) const {
  absl::MutexLock lock(&mutex_);
  const auto log = FindLog(batch_id);
  if (log == nullptr) return std::nullopt;
  engine::LogPage page;
  if (after_sequence >= log->end.last_sequence) {
    page.finished = log->end.finished;
    return page;
  }
  const auto begin = log->segments.begin() + static_cast<int64_t>(log->given_way);
  const auto end = log->segments.end();
  const bool here = begin != end && (*begin)->first_sequence() <= after_sequence + 1;
  if (!here) return std::nullopt;
  auto next = std::upper_bound(begin, end, after_sequence, [](int64_t sequence, const auto& s) {
    return sequence < s->last_sequence();
  });
  int64_t bytes = 0;
  for (; next != end && (bytes < bytes_max || page.segments.empty()); ++next) {
    bytes += static_cast<int64_t>((*next)->bytes().size());
    page.segments.push_back(*next);
  }
  page.finished = log->end.finished && next == end;
  return page;
}

}  // namespace jobrunner::storage
