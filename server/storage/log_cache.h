// The newest events of every log, in memory.

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "engine/segment.h"
#include "engine/store.h"

namespace jobrunner::storage {

// What a stored commit changed about a log.
struct LogUpdate {
  enum class Kind : uint8_t { kBegun, kGrew, kFinished, kRemoved };
  std::string batch_id;
  Kind kind = Kind::kBegun;
  // For kGrew.
  std::shared_ptr<const engine::Segment> segment;
};

// Knows where the log of each unfinished batch ends, and has the segments that were stored last, of
// all batches together up to a bound: live readers, who want what is newest, need no disk. A
// finished batch is known until the last of its segments had to give way. Thread-safe.
class LogCache {
 public:
  // Where a log ends.
  struct End {
    int64_t last_sequence = 0;
    bool finished = false;
  };

  explicit LogCache(int64_t bytes_max) : bytes_max_(bytes_max) {}

  // A batch that was there before.
  void Resume(const std::string& batch_id, int64_t last_sequence) ABSL_LOCKS_EXCLUDED(mutex_);
  // In their order.
  void Apply(std::vector<LogUpdate> updates) ABSL_LOCKS_EXCLUDED(mutex_);

  // Nothing for a batch that is not known here, though it may be stored.
  std::optional<End> Find(std::string_view batch_id) const ABSL_LOCKS_EXCLUDED(mutex_);
  // As engine::Store::ReadLog, if all that it asks for is here.
  std::optional<engine::LogPage> Read(std::string_view batch_id, int64_t after_sequence,
                                      int64_t bytes_max) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Log {
    std::string batch_id;
    End end;
    // The newest, in order; those before `given_way` are gone.
    std::vector<std::shared_ptr<const engine::Segment>> segments;
    size_t given_way = 0;
  };

  void Apply(LogUpdate& update) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Grow(const std::shared_ptr<Log>& log, std::shared_ptr<const engine::Segment> segment)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The oldest segments give way until the bound is kept.
  void Shrink() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::shared_ptr<Log> FindLog(std::string_view batch_id) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int64_t bytes_max_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<Log>> logs_ ABSL_GUARDED_BY(mutex_);
  // The log of each segment held, oldest first. It keeps a removed batch's log until its segments
  // have given way like all others.
  std::deque<std::shared_ptr<Log>> oldest_ ABSL_GUARDED_BY(mutex_);
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace jobrunner::storage
