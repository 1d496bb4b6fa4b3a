#include "engine/fleet.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace jobrunner::engine {

RemoteWorker& Fleet::Add(WorkerId id, std::string name, int32_t slots) {
  auto& worker = workers_[id];
  JOBRUNNER_CHECK(worker == nullptr);
  worker = std::make_unique<RemoteWorker>();
  worker->id = id;
  worker->name = std::move(name);
  worker->slots = slots;
  return *worker;
}

void Fleet::Offer(RemoteWorker& worker, const std::string& need) {
  Capability& capability = Named(need);
  const bool known =
      std::find(worker.offers.begin(), worker.offers.end(), &capability) != worker.offers.end();
  if (known) return;
  ++capability.workers;
  worker.offers.push_back(&capability);
  worker.places.push_back(-1);
}

void Fleet::Remove(RemoteWorker& worker) {
  const int32_t free = worker.free();
  worker.connected = false;
  Settle(worker, free);
  for (Capability* capability : worker.offers) {
    --capability->workers;
    Release(*capability);
  }
  workers_.erase(worker.id);
}

RemoteWorker* Fleet::Find(WorkerId id) {
  const auto found = workers_.find(id);
  return found == workers_.end() ? nullptr : found->second.get();
}

void Fleet::Settle(RemoteWorker& worker, int32_t free_before) {
  const int32_t free = worker.free();
  if (free == free_before) return;
  for (size_t i = 0; i < worker.offers.size(); ++i) {
    worker.offers[i]->free_slots += free - free_before;
    if (free_before == 0) Open(worker, i);
    if (free == 0) Close(worker, i);
  }
}

void Fleet::Open(RemoteWorker& worker, size_t offer) {
  auto& open = worker.offers[offer]->open;
  worker.places[offer] = static_cast<int32_t>(open.size());
  open.push_back({&worker, offer});
}

void Fleet::Close(RemoteWorker& worker, size_t offer) {
  auto& open = worker.offers[offer]->open;
  const Capability::OpenWorker last = open.back();
  open[worker.places[offer]] = last;
  last.worker->places[last.offer] = worker.places[offer];
  open.pop_back();
  worker.places[offer] = -1;
}

RemoteWorker& Fleet::Next(Capability& capability) {
  if (capability.next >= capability.open.size()) capability.next = 0;
  return *capability.open[capability.next++].worker;
}

Capability& Fleet::Named(const std::string& need) {
  auto& capability = capabilities_[need];
  if (capability == nullptr) {
    capability = std::make_unique<Capability>();
    capability->name = need;
  }
  return *capability;
}

void Fleet::Release(Capability& capability) {
  if (capability.batches == 0 && capability.workers == 0) capabilities_.erase(capability.name);
}

}  // namespace jobrunner::engine
