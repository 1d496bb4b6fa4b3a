#include "engine/ready_queue.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace jobrunner::engine {
namespace {

double Share(int32_t priority) { return std::exp2(priority / 10.0); }

}  // namespace

// Batches with one fairness key, or one batch without. Its share is that of the first of them.
struct ReadyQueue::Group : public Turn {
  explicit Group(double share) : Turn(share) {}
  Turns<Entry> batches;
};

class ReadyQueue::Lane : public Turn {
 public:
  Lane() : Turn(1) {}

  std::shared_ptr<Group> GroupOf(const std::string& fairness_key, int32_t priority) {
    if (fairness_key.empty()) return std::make_shared<Group>(Share(priority));
    std::weak_ptr<Group>& known = by_key_[fairness_key];
    std::shared_ptr<Group> group = known.lock();
    if (group == nullptr) {
      DropDead();
      group = std::make_shared<Group>(Share(priority));
      by_key_[fairness_key] = group;
    }
    return group;
  }

 private:
  friend class ReadyQueue;

  // Keys of which no batch is left. Swept when the map has doubled, so that it costs a constant.
  void DropDead() {
    if (by_key_.size() < sweep_at_) return;
    absl::erase_if(by_key_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max<size_t>(2 * by_key_.size(), 64);
  }

  bool open_ = true;
  Turns<Group> groups_;
  absl::flat_hash_map<std::string, std::weak_ptr<Group>> by_key_;
  size_t sweep_at_ = 64;
};

ReadyQueue::Entry::Entry(ActiveBatch* batch, Lane* lane, const std::string& fairness_key,
                         int32_t priority)
    : Turn(Share(priority)),
      batch_(batch),
      lane_(lane),
      group_(lane->GroupOf(fairness_key, priority)) {}

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
  Group* group = entry->group_.get();
  group->batches.Join(entry);
  if (!group->waits()) entry->lane_->groups_.Join(group);
  ++size_;
  SettleLane(entry->lane_);
}

void ReadyQueue::Leave(Entry* entry) {
  if (!entry->waits()) return;
  Group* group = entry->group_.get();
  group->batches.Leave(entry);
  if (group->batches.empty()) entry->lane_->groups_.Leave(group);
  --size_;
  SettleLane(entry->lane_);
}

ReadyQueue::Entry* ReadyQueue::Next() const {
  if (turns_.empty()) return nullptr;
  return turns_.next()->groups_.next()->batches.next();
}

void ReadyQueue::Charge(Entry* entry, int64_t n) {
  entry->group_->batches.Charge(entry, n);
  entry->lane_->groups_.Charge(entry->group_.get(), n);
  turns_.Charge(entry->lane_, n);
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
