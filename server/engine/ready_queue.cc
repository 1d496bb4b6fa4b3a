#include "engine/ready_queue.h"

#include <cmath>
#include <utility>

namespace jobrunner::engine {
namespace {

double Share(int32_t priority) { return std::exp2(priority / 10.0); }

}  // namespace

// Batches with one fairness key. Its share is that of the batch that made it ready.
struct ReadyQueue::Group : public Turn {
  explicit Group(double share) : Turn(share) {}
  Turns<Entry> batches;
};

class ReadyQueue::Lane : public Turn {
 public:
  Lane() : Turn(1) {}

 private:
  friend class ReadyQueue;
  bool open_ = true;
  Turns<Group> groups_;
  // Those with a key, while a batch of theirs is ready.
  absl::flat_hash_map<std::string, std::unique_ptr<Group>> by_key_;
};

ReadyQueue::Entry::Entry(Lane* lane, std::string fairness_key, int32_t priority)
    : Turn(Share(priority)),
      lane_(lane),
      fairness_key_(std::move(fairness_key)),
      priority_(priority) {
  if (fairness_key_.empty()) own_group_ = std::make_unique<Group>(Share(priority));
}

ReadyQueue::Entry::~Entry() = default;

ReadyQueue::ReadyQueue() = default;
ReadyQueue::~ReadyQueue() = default;

ReadyQueue::Lane* ReadyQueue::LaneOf(const std::string& queue) {
  auto& lane = lanes_[queue];
  if (lane == nullptr) lane = std::make_unique<Lane>();
  return lane.get();
}

void ReadyQueue::SetOpen(Lane* lane, bool open) {
  lane->open_ = open;
  SettleLane(lane);
}

void ReadyQueue::Join(Entry* entry) {
  if (entry->waits()) return;
  Lane* lane = entry->lane_;
  Group* group = entry->own_group_.get();
  if (group == nullptr) {
    auto& shared = lane->by_key_[entry->fairness_key_];
    if (shared == nullptr) shared = std::make_unique<Group>(Share(entry->priority_));
    group = shared.get();
  }
  entry->group_ = group;
  group->batches.Join(entry);
  if (!group->waits()) lane->groups_.Join(group);
  ++size_;
  SettleLane(lane);
}

void ReadyQueue::Leave(Entry* entry) {
  if (!entry->waits()) return;
  Lane* lane = entry->lane_;
  Group* group = std::exchange(entry->group_, nullptr);
  group->batches.Leave(entry);
  if (group->batches.empty()) DropGroup(entry, group);
  --size_;
  SettleLane(lane);
}

ReadyQueue::Entry* ReadyQueue::Next() const {
  if (turns_.empty()) return nullptr;
  return turns_.next()->groups_.next()->batches.next();
}

void ReadyQueue::Charge(Entry* entry, int64_t n) {
  Group* group = entry->group_;
  if (group == nullptr) return;
  group->batches.Charge(entry, n);
  entry->lane_->groups_.Charge(group, n);
  turns_.Charge(entry->lane_, n);
}

void ReadyQueue::DropGroup(Entry* entry, Group* group) {
  entry->lane_->groups_.Leave(group);
  // A group that others may join again later keeps nothing: who joins starts where the others are.
  if (entry->own_group_ == nullptr) entry->lane_->by_key_.erase(entry->fairness_key_);
}

void ReadyQueue::SettleLane(Lane* lane) {
  const bool should_wait = lane->open_ && !lane->groups_.empty();
  if (should_wait == lane->waits()) return;
  if (should_wait) {
    turns_.Join(lane);
  } else {
    turns_.Leave(lane);
  }
}

}  // namespace jobrunner::engine
