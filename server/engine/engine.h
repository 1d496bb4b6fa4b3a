// Decides: a deterministic state machine that owns all state.

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "engine/batch.h"
#include "engine/batch_page.h"
#include "engine/describe_jobs.h"
#include "engine/effect.h"
#include "engine/event_listener.h"
#include "engine/input.h"
#include "engine/limits.h"
#include "engine/statistics.h"

namespace jobrunner::engine {

struct EngineOptions {
  // Higher at each start of the server.
  uint32_t epoch = 1;
  uint64_t seed = 1;
  PoolBounds pool{0, 4};
  // "default" is added unless it is among them.
  std::vector<QueueSettings> queues;
  int64_t jobs_unfinished_max = kJobsUnfinishedDefault;
  // How long finished batches are kept, and how many bytes of them at most: the latter of a store
  // that is not durable.
  std::chrono::nanoseconds retention = kRetentionDefault;
  int64_t kept_bytes_max = kMemoryStoreBytesDefault;
  int64_t shards_loaded_max = kShardsLoadedDefault;
  // Handlers of the server's own pool: all others are remote workers'. Null: that pool runs all.
  std::shared_ptr<const std::set<std::string>> own_handlers;
  // How long a remote worker may be silent, or gone, before its attempts are lost.
  std::chrono::nanoseconds worker_lease = kWorkerLeaseDefault;
  // What the store holds outlives the process: a drain puts back what it cannot finish, and what
  // has finished is the store's to remember.
  bool durable = false;
};

// Belongs to one thread at a time, as its owner gives it: no method may run beside another. Takes
// no time but what Step is given, no chance but its seed: the same inputs give the same effects.
class Engine {
 public:
  explicit Engine(EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Takes over what the store recovered, once and before the first Step, which is to come at once:
  // batches that an earlier server left unfinished go on from their records. Jobs that it had
  // running were lost with it. Returns the logs that are to be opened, before anything else is
  // shown.
  std::vector<Publish> Restore(base::Now now, std::vector<std::unique_ptr<Batch>> unfinished);

  // Takes what happened, in order, and says what is to be done. `interest` is the greatest of the
  // listeners': what they do not want is not kept for them. Spends *inputs.
  Effects Step(base::Now now, EventListener::Interest interest, std::vector<Input>* inputs);

  // For Query. With a durable store these know batches that run; what has finished is the store's
  // to show, from the moment that its end is published. Otherwise they know both.

  // Null when there is no such batch.
  const Batch* Find(std::string_view batch_id) const;
  absl::StatusOr<v1::Batch> DescribeBatch(std::string_view batch_id) const;
  // Newest first, from before `before_id` (empty: from the newest). A page may be short, even
  // empty, where many batches do not match: it looks at a bounded number of them.
  BatchPage ListBatches(const BatchFilter& filter, std::string_view before_id,
                        int32_t page_size) const;
  // NOT_FOUND.
  absl::StatusOr<JobDescription> DescribeJob(std::string_view batch_id, int32_t index) const;
  absl::StatusOr<JobsPage> ListJobs(std::string_view batch_id,
                                    const std::vector<v1::JobState>& states, int32_t first_index,
                                    int32_t page_size) const;
  Statistics CountAll() const;
  std::vector<QueueSettings> queues() const;
  bool draining() const;
  PoolBounds pool() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace jobrunner::engine
