#include "engine/batch_page.h"

#include <algorithm>
#include <functional>
#include <map>

#include "engine/batch.h"

namespace jobrunner::engine {

bool Matches(const Batch& batch, const BatchFilter& filter) {
  const v1::BatchSpec& spec = batch.header().spec;
  if (!filter.queue.empty() && spec.queue() != filter.queue) return false;
  if (!filter.states.empty() &&
      std::find(filter.states.begin(), filter.states.end(), batch.state()) == filter.states.end()) {
    return false;
  }
  return std::all_of(filter.labels.begin(), filter.labels.end(), [&](const auto& label) {
    auto found = spec.labels().find(label.first);
    return found != spec.labels().end() && found->second == label.second;
  });
}

BatchPage MergePages(BatchPage earlier, BatchPage later, int32_t page_size) {
  std::map<std::string, v1::Batch, std::greater<>> newest_first;
  for (BatchPage* page : {&later, &earlier}) {
    for (v1::Batch& batch : page->batches) newest_first.try_emplace(batch.id(), std::move(batch));
  }
  BatchPage merged;
  // Ids sort by time: what is older than this, one of the two has not looked at yet. Empty, at the
  // end of both, it is before all ids.
  merged.next_before_id = std::max(earlier.next_before_id, later.next_before_id);
  for (auto& [id, batch] : newest_first) {
    if (id < merged.next_before_id) break;
    if (static_cast<int32_t>(merged.batches.size()) == page_size) {
      merged.next_before_id = merged.batches.back().id();
      break;
    }
    merged.batches.push_back(std::move(batch));
  }
  return merged;
}

}  // namespace jobrunner::engine
