// Reads a batch's event log from a thread that can wait.

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/event_log.h"
#include "engine/store.h"

namespace jobrunner::embedded {

// A place in a batch's event log. One thread at a time; the store and the logs outlive it.
class LogCursor {
 public:
  // Begins with the event after `after_sequence`.
  LogCursor(engine::Store* store, engine::EventLogs* logs, std::string batch_id,
            int64_t after_sequence);

  // Blocks until there are events past the place, and goes to the end of what it returns. Nothing
  // in the page: the log was read to its end. NOT_FOUND when the batch is not (any more) there.
  absl::StatusOr<engine::LogPage> Next();

 private:
  class Growth;

  absl::StatusOr<engine::LogPage> Read();

  engine::Store* const store_;
  engine::EventLogs* const logs_;
  const std::string batch_id_;
  const std::shared_ptr<Growth> growth_;
  int64_t sequence_;
  bool finished_ = false;
};

}  // namespace jobrunner::embedded
