// Who runs attempts elsewhere: remote workers and what they offer.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/deadlines.h"
#include "engine/ready_queue.h"
#include "engine/remote_workers.h"

namespace jobrunner::engine {

struct RemoteWorker;

// What jobs need to run: the server's own pool, or a handler or a pool that remote workers offer.
// Batches with such jobs take turns for it.
struct Capability {
  // As NeedOf has it; empty: the server's own pool.
  std::string name;
  ReadyQueue ready;
  // Workers that have a free slot, each with which of its offers this is, and whose turn it is.
  struct OpenWorker {
    RemoteWorker* worker;
    size_t offer;
  };
  std::vector<OpenWorker> open;
  size_t next = 0;
  // Of all workers that are there.
  int64_t free_slots = 0;
  int32_t workers = 0;
  // Batches that need it.
  int64_t batches = 0;
};

// A session, from its beginning until its lease has run out.
struct RemoteWorker {
  WorkerId id = kOwnPool;
  // For people.
  std::string name;
  std::map<std::string, std::string> labels;
  std::string sdk;
  base::WallTime since;
  int32_t slots = 0;
  std::vector<Capability*> offers;
  // Where it stands in each offer's `open`; -1: it does not.
  std::vector<int32_t> places;

  // Its stream is there.
  bool connected = true;
  bool welcomed = false;
  bool leaving = false;

  // Its running attempts, by their slots.
  std::vector<uint32_t> attempts;
  // Numbers of attempts that were ended over its head: they hold their slots until it lets go.
  std::set<uint64_t> given_up;

  // What it claims and is not decided yet, and what was decided: kept, since the welcome that says
  // so may be lost.
  int32_t claims_pending = 0;
  std::vector<Claim> claims;
  // The commit that has why some of what it brought is no longer its own; 0: none.
  uint64_t denied_by = 0;

  // Of its last check, and of the last one that it answered.
  int64_t check_number = 0;
  int64_t answered = 0;
  Deadlines::Timer check;
  Deadlines::Timer lease;

  int32_t held() const { return static_cast<int32_t>(attempts.size() + given_up.size()); }
  bool takes_work() const { return connected && welcomed && !leaving; }
  int32_t free() const { return takes_work() && slots > held() ? slots - held() : 0; }
};

// Keeps each capability's free workers. Not thread-safe. A change of a worker costs a step for each
// handler and pool that it offers.
class Fleet {
 public:
  // A worker without offers; then Offer for each of its handlers and pools, and Settle.
  RemoteWorker& Add(WorkerId id, std::string name, int32_t slots);
  void Offer(RemoteWorker& worker, const std::string& need);
  // Its attempts have gone elsewhere, its timers are cancelled.
  void Remove(RemoteWorker& worker);
  // Null when there is none.
  RemoteWorker* Find(WorkerId id);

  // To be called after each change of what a worker can take: from `free_before` to what it is now.
  void Settle(RemoteWorker& worker, int32_t free_before);

  // The worker whose turn it is; `capability` has a free slot.
  RemoteWorker& Next(Capability& capability);

  // Made if it is new. It stays as long as Release leaves it a batch or a worker.
  Capability& Named(const std::string& need);
  void Release(Capability& capability);

  const std::map<std::string, std::unique_ptr<Capability>>& capabilities() const {
    return capabilities_;
  }
  const std::map<WorkerId, std::unique_ptr<RemoteWorker>>& workers() const { return workers_; }

 private:
  static void Open(RemoteWorker& worker, size_t offer);
  static void Close(RemoteWorker& worker, size_t offer);

  std::map<std::string, std::unique_ptr<Capability>> capabilities_;
  std::map<WorkerId, std::unique_ptr<RemoteWorker>> workers_;
};

}  // namespace jobrunner::engine
