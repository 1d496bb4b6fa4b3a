#include "engine/request_memory.h"

#include <algorithm>

#include "engine/limits.h"

namespace jobrunner::engine {

void RequestMemory::Remember(const std::string& request_id, Answer answer, base::SteadyTime now) {
  if (request_id.empty()) return;
  entries_[request_id] = {std::move(answer), now + kRequestKnown};
}

const RequestMemory::Answer* RequestMemory::Find(const std::string& request_id) const {
  auto found = entries_.find(request_id);
  return found == entries_.end() ? nullptr : &found->second.answer;
}

void RequestMemory::BatchLeft(const std::string& request_id, base::SteadyTime now) {
  if (entries_.contains(request_id)) leaving_.emplace_back(now + kRequestAfterBatch, request_id);
}

void RequestMemory::BatchRemoved(const std::string& request_id, v1::Batch last,
                                 base::SteadyTime now) {
  auto found = entries_.find(request_id);
  if (found == entries_.end()) return;
  if (found->second.keep_until <= now) {
    entries_.erase(found);
    return;
  }
  found->second.answer.removed = std::move(last);
  // Nearly in order: batches are removed in the order of their ends, not of their beginnings. One
  // behind an entry that stays longer is forgotten a little later.
  leaving_.emplace_back(found->second.keep_until, request_id);
}

void RequestMemory::Sweep(base::SteadyTime now) {
  while (!leaving_.empty() && leaving_.front().first <= now) {
    entries_.erase(leaving_.front().second);
    leaving_.pop_front();
  }
}

}  // namespace jobrunner::engine
