// What the engine wants done.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/attempt.h"
#include "engine/batch_header.h"
#include "engine/executor.h"
#include "engine/remote_workers.h"
#include "engine/store.h"

namespace jobrunner::engine {

struct LoadShard {
  std::string batch_id;
  int32_t first_index = 0;
};

// What has expired in the store: FoundExpired follows.
struct FindExpired {
  base::WallTime now;
  int32_t max = 0;
};

// A batch's log is readable up to `last_sequence`; opened: from here on it may grow.
struct Publish {
  BatchHeaderPtr batch;
  int64_t last_sequence = 0;
  bool opened = false;
  bool finished = false;
};

// An event for the listeners.
struct Notice {
  BatchHeaderPtr batch;
  v1::Event event;
  // A failed attempt, a failed job, a job that its own deadline ended.
  bool failure = false;
};

// To be carried out: the writes, what is to be shown, a resize, stops, starts, loads.
struct Effects {
  // Stored together; Committed{ticket} follows. Nothing to store: no ticket.
  std::vector<Write> writes;
  Sync sync = Sync::kNow;
  uint64_t ticket = 0;
  std::vector<Publish> publishes;
  std::vector<Notice> notices;
  // Bound answers, to be called.
  std::vector<std::function<void()>> replies;
  // Of the server's own pool.
  std::vector<StopOrder> stops;
  std::vector<Assignment> starts;
  RemoteOrders remote;
  std::optional<PoolBounds> resize;
  std::vector<LoadShard> loads;
  std::optional<FindExpired> find_expired;

  // Not OK: the store has lost or spoilt something; nothing can go on.
  absl::Status failure;

  // When to call Step again without an input: base::SteadyTime::min() at once, max() never.
  base::SteadyTime wake = base::SteadyTime::max();
};

}  // namespace jobrunner::engine
