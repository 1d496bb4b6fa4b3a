// What is to happen when.

#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "absl/container/btree_map.h"
#include "base/clock.h"
#include "engine/attempt.h"

namespace jobrunner::engine {

struct ActiveBatch;

// Timers, ordered by time. Each is cancelled before what it points to goes. Not thread-safe; every
// call is O(log n), and a timer that was cancelled leaves nothing behind.
class Deadlines {
 public:
  // The batch's timeout or its call's deadline.
  struct BatchDeadline {
    ActiveBatch* batch;
  };
  // A deadline of a waiting job of the shard.
  struct ShardDeadline {
    ActiveBatch* batch;
    uint32_t shard;
  };
  // All jobs of the shard had a delay, and the first one has passed.
  struct ShardDelay {
    ActiveBatch* batch;
    uint32_t shard;
  };
  // The attempt's timeout, or the job's total_timeout while it runs.
  struct AttemptDeadline {
    AttemptToken token;
  };
  // The last reader with cancel_on_disconnect is gone for long enough.
  struct DisconnectDeadline {
    ActiveBatch* batch;
  };
  // The finished batch has been kept for long enough.
  struct RetentionEnd {
    ActiveBatch* batch;
  };
  // The remote worker has not stopped the attempt within its grace.
  struct StopDeadline {
    AttemptToken token;
  };
  // The remote worker is to say what it holds; it has not for a lease.
  struct WorkerCheckDue {
    WorkerId worker;
  };
  struct LeaseEnd {
    WorkerId worker;
  };
  // No remote worker has come back for what it held when an earlier server ended.
  struct UnclaimedDeadline {};
  struct DrainDeadline {};
  // The store is to be asked for what has expired.
  struct ExpiryDue {};
  using Event = std::variant<BatchDeadline, ShardDeadline, ShardDelay, AttemptDeadline,
                             DisconnectDeadline, RetentionEnd, StopDeadline, WorkerCheckDue,
                             LeaseEnd, UnclaimedDeadline, DrainDeadline, ExpiryDue>;

  // Names a timer; the default one names none.
  class Timer {
   public:
    bool set() const { return id_ != 0; }

   private:
    friend class Deadlines;
    base::SteadyTime time_{};
    uint64_t id_ = 0;
  };

  // max() sets none.
  Timer Set(base::SteadyTime time, Event event);
  // Of one that has fired or was not set: nothing. *timer names none afterwards.
  void Cancel(Timer* timer);

  // The next event whose time has come.
  std::optional<Event> PopDue(base::SteadyTime now);
  // max() when there is none.
  base::SteadyTime earliest() const;

 private:
  absl::btree_map<std::pair<base::SteadyTime, uint64_t>, Event> timers_;
  uint64_t last_id_ = 0;
};

}  // namespace jobrunner::engine
