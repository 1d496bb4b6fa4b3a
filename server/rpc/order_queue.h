// What the engine wants one remote worker to be told.

#pragma once

#include <deque>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/remote_workers.h"

namespace jobrunner::rpc {

// Orders on their way to the one who writes. While that is busy they are put together, as far as
// their order allows, so that many go in one message. What waits here is not serialized yet: it is
// bounded by what the worker may hold. Thread-safe; no call blocks.
class OrderQueue {
 public:
  // True if the writer has to be woken: it is idle, and is busy from here on.
  bool Put(engine::RemoteOrders orders) ABSL_LOCKS_EXCLUDED(mutex_);
  // As Put, of something to be written that is not an order.
  bool Wake() ABSL_LOCKS_EXCLUDED(mutex_);

  // For the writer. Nothing: there is none, and the writer is idle from here on.
  std::optional<engine::RemoteOrders> Take() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Mutex mutex_;
  std::deque<engine::RemoteOrders> orders_ ABSL_GUARDED_BY(mutex_);
  bool writer_is_busy_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace jobrunner::rpc
