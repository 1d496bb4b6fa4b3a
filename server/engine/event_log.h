// Who reads a batch's event log live, and how far it is.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace jobrunner::engine {

// Told that a log has grown. The call comes on the engine's thread and must not block: it passes
// the word to a thread of its own.
class LogReader {
 public:
  virtual ~LogReader() = default;
  virtual void LogGrew() = 0;
};

// The live end of the event logs of all batches that have not finished. Thread-safe. A reader is a
// cursor: it reads the store from its sequence on until there is no more, then awaits growth here,
// and is told once; no event waits in here for anyone.
class EventLogs {
 public:
  enum class Awaited {
    kWaiting,  // LogReader::LogGrew will be called, once
    kGrew,     // there is something after that sequence already
    kNotLive,  // no such batch among those that run: its log is complete, or it is not there
  };

  EventLogs() = default;
  EventLogs(const EventLogs&) = delete;
  EventLogs& operator=(const EventLogs&) = delete;

  // Has `reader` told when the batch's log grows past `after_sequence`. Held weakly, so that a
  // reader that has gone is no more than an empty pointer.
  Awaited Await(std::string_view batch_id, int64_t after_sequence, std::weak_ptr<LogReader> reader)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Of a batch that runs; 0 of any other.
  int64_t LastSequence(std::string_view batch_id) const ABSL_LOCKS_EXCLUDED(mutex_);

  // By the engine: a batch is there, has grown, is complete or was removed.
  void Open(std::string_view batch_id, int64_t last_sequence = 0) ABSL_LOCKS_EXCLUDED(mutex_);
  void Published(std::string_view batch_id, int64_t last_sequence, bool finished)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Tells every waiting reader; used when the server stops.
  void WakeAll() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Live {
    int64_t last_sequence = 0;
    std::vector<std::weak_ptr<LogReader>> waiting;
  };

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Live> live_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobrunner::engine
