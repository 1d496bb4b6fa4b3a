#include "rpc/order_queue.h"

#include <iterator>
#include <utility>
#include <vector>

namespace jobrunner::rpc {
namespace {

template <typename Order>
void Append(std::vector<Order> from, std::vector<Order>* to) {
  if (to->empty()) {
    *to = std::move(from);
  } else {
    to->insert(to->end(), std::make_move_iterator(from.begin()),
               std::make_move_iterator(from.end()));
  }
}

// Whether what `later` has may be carried out within `earlier`. A check says what the worker holds
// at that moment, so that no start may pass it; a stop must not pass its start.
bool CanJoin(const engine::RemoteOrders& earlier, const engine::RemoteOrders& later) {
  if (!earlier.checks.empty() || !earlier.ends.empty()) return false;
  return later.welcomes.empty() && (later.stops.empty() || earlier.starts.empty());
}

void Join(engine::RemoteOrders later, engine::RemoteOrders* earlier) {
  Append(std::move(later.stops), &earlier->stops);
  Append(std::move(later.starts), &earlier->starts);
  Append(std::move(later.acknowledgements), &earlier->acknowledgements);
  Append(std::move(later.checks), &earlier->checks);
  Append(std::move(later.ends), &earlier->ends);
}

}  // namespace

bool OrderQueue::Put(engine::RemoteOrders orders) {
  absl::MutexLock lock(&mutex_);
  if (!orders_.empty() && CanJoin(orders_.back(), orders)) {
    Join(std::move(orders), &orders_.back());
  } else {
    orders_.push_back(std::move(orders));
  }
  return !std::exchange(writer_is_busy_, true);
}

bool OrderQueue::Wake() {
  absl::MutexLock lock(&mutex_);
  return !std::exchange(writer_is_busy_, true);
}

std::optional<engine::RemoteOrders> OrderQueue::Take() {
  absl::MutexLock lock(&mutex_);
  if (orders_.empty()) {
    writer_is_busy_ = false;
    return std::nullopt;
  }
  engine::RemoteOrders first = std::move(orders_.front());
  orders_.pop_front();
  return first;
}

}  // namespace jobrunner::rpc
