// Which batch may start a job next.

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "engine/turns.h"

namespace jobrunner::engine {

struct ActiveBatch;

// Three levels that take turns: the queues; in a queue, the fairness keys; of a key, its batches. A
// batch of a million jobs is one among its fellows at each of them. Not thread-safe; every change
// is O(log n) in the number of batches that are ready.
class ReadyQueue {
 public:
  class Lane;
  struct Group;

  // A batch's place. Made by its owner, which keeps it until it has left.
  class Entry : public Turn {
   public:
    // `lane` from LaneOf. An empty fairness key: a turn of its own. A higher priority is a larger
    // share: 2^(priority / 10).
    Entry(ActiveBatch* batch, Lane* lane, const std::string& fairness_key, int32_t priority);

    ActiveBatch& batch() const { return *batch_; }

   private:
    friend class ReadyQueue;
    ActiveBatch* const batch_;
    Lane* const lane_;
    // Shared by the batches with the key, ready or not, so that it remembers what it got.
    const std::shared_ptr<Group> group_;
  };

  ReadyQueue();
  ~ReadyQueue();

  // The queue's lane, made if it is new; it stays.
  Lane* LaneOf(const std::string& queue);

  // A lane that is closed (paused, or with as many running as it may) gets no turn; its batches
  // wait.
  void SetOpen(Lane* lane, bool open);

  // The batch has something to start, or nothing (any more). Each may be called again.
  void Join(Entry* entry);
  void Leave(Entry* entry);

  // Whose turn it is; null when no batch of an open lane is ready.
  Entry* Next() const;

  // The batch started `n` jobs.
  void Charge(Entry* entry, int64_t n);

  // Batches that are ready.
  int64_t size() const { return size_; }

 private:
  void SettleLane(Lane* lane);

  absl::flat_hash_map<std::string, std::unique_ptr<Lane>> lanes_;
  Turns<Lane> turns_;
  int64_t size_ = 0;
};

}  // namespace jobrunner::engine
