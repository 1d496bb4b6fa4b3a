// A batch with what is needed to run it.

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engine/batch.h"
#include "engine/deadlines.h"
#include "engine/fleet.h"
#include "engine/job_options.h"
#include "engine/ready_queue.h"
#include "engine/segment.h"
#include "engine/shard_jobs.h"

namespace jobrunner::engine {

struct QueueState;

// What jobs of a batch need to run, and the batch's turn for it.
struct BatchNeed {
  BatchNeed(Capability* capability, ActiveBatch* batch, ReadyQueue::Lane* lane,
            const std::string& fairness_key, int32_t priority)
      : capability(capability), turn(batch, lane, fairness_key, priority) {}

  Capability* const capability;
  ReadyQueue::Entry turn;
  // Jobs that need it, and were passed over while others started; since when they are ready.
  std::deque<std::pair<int32_t, base::SteadyTime>> passed_over;
};

// What is known of a shard beside the fold.
struct ShardRun {
  // Null unless loaded.
  std::shared_ptr<const ShardJobs> jobs;
  bool loading = false;
  // Its jobs that run.
  int32_t running = 0;
  // Its next job that was never looked at, counted from the shard's first.
  int32_t next_fresh = 0;
  // All its jobs have a delay, and the timer of the first is set.
  bool delayed = false;
  Deadlines::Timer deadline;
  Deadlines::Timer delay;
};

// A batch and what is needed to run it, which is gone once it has finished. The engine's own; no
// invariant of its own beyond what each comment says.
struct ActiveBatch {
  explicit ActiveBatch(const Accepted& accepted) : batch(accepted), shards(batch.shards().size()) {}
  explicit ActiveBatch(Batch folded) : batch(std::move(folded)), shards(batch.shards().size()) {}

  // The fold: changed through the journal alone.
  Batch batch;

  // Accept, on the steady clock.
  base::SteadyTime accepted_at{};
  // When its timeout or its call's deadline ends it; max() when neither does.
  base::SteadyTime ends_at = base::SteadyTime::max();
  // What a job without options of its own has.
  EffectiveOptions defaults;
  QueueState* queue = nullptr;
  // The batch is stored: it may run.
  bool open = false;

  std::vector<ShardRun> shards;
  // Shards with jobs that were never looked at, except those that are delayed as a whole.
  std::set<uint32_t> fresh_shards;
  // Jobs that are ready again (retried, put back, delayed), and since when; these go first.
  std::deque<std::pair<int32_t, base::SteadyTime>> again;
  // One for most batches. In turn its jobs are looked at in order; one that needs something else is
  // passed over, up to kPassedOverMax of them.
  std::vector<std::unique_ptr<BatchNeed>> needs;
  int32_t passed_over = 0;
  // The shard of its next job is being loaded.
  bool waits_for_shard = false;
  // Slots of its running attempts.
  std::vector<uint32_t> running_slots;

  // Jobs that an earlier server had running when it ended: RUNNING in the fold, and lost. Nothing
  // of the batch starts before they are settled, so that it never runs more than it may.
  std::set<int32_t> lost;
  // Jobs that remote workers had running when an earlier server ended: RUNNING in the fold. Either
  // the worker comes back in time and claims one, or they are lost.
  std::set<int32_t> unclaimed;
  struct Claimed {
    WorkerId worker;
    AttemptToken held;
  };
  // Claimed, while their shards are being loaded.
  std::map<int32_t, Claimed> claimed;

  // Its jobs that run, as far as its limits go.
  int32_t running() const {
    return static_cast<int32_t>(running_slots.size() + unclaimed.size() + claimed.size());
  }

  // Shards whose waiting jobs are to be looked at: some of them are to end.
  std::set<uint32_t> attention;
  bool attention_listed = false;

  Deadlines::Timer deadline;
  // Readers with cancel_on_disconnect.
  int32_t watchers = 0;
  Deadlines::Timer disconnect;
  Deadlines::Timer retention;

  // What this Step has changed and not yet handed to the store (Journal).
  std::vector<JobChange> pending_changes;
  std::optional<SegmentBuilder> pending_events;
  std::optional<Finish> pending_finish;
  bool pending_listed = false;

  // Bytes that the store holds of it, about.
  int64_t stored_bytes = 0;
  // Its place among the finished ones; 0 while it runs.
  uint64_t finish_number = 0;
};

}  // namespace jobrunner::engine
