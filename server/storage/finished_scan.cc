#include "storage/finished_scan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/keys.h"

namespace jobrunner::storage {
namespace {

// What narrows most comes first: a label, then the queue, then the states.
std::vector<std::string> PrefixesFor(const engine::BatchFilter& filter) {
  if (!filter.labels.empty()) {
    return {keys::ByLabel(filter.labels.front().first, filter.labels.front().second)};
  }
  if (!filter.queue.empty()) return {keys::ByQueue(filter.queue)};
  std::vector<std::string> prefixes;
  for (const jobrunner::v1::BatchState state : filter.states) {
    prefixes.push_back(keys::ByState(state));
  }
  // A state that is named twice is one.
  std::sort(prefixes.begin(), prefixes.end());
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
  if (prefixes.empty()) prefixes.push_back(keys::AllSummaries());
  return prefixes;
}

}  // namespace

FinishedScan::FinishedScan(rocksdb::DB* database, const engine::BatchFilter& filter,
                           std::string_view before_id) {
  for (std::string& prefix : PrefixesFor(filter)) {
    const size_t prefix_bytes = prefix.size();
    keys::Range range = keys::OfPrefix(prefix);
    if (!before_id.empty()) range.end = prefix.append(before_id);
    indexes_.push_back({prefix_bytes, std::make_unique<RocksDbRange>(database, std::move(range))});
    indexes_.back().range->ToLast();
  }
  FindNewest();
}

std::string_view FinishedScan::id() const {
  return newest_->range->key().substr(newest_->prefix_bytes);
}

void FinishedScan::Next() {
  newest_->range->Previous();
  FindNewest();
}

void FinishedScan::FindNewest() {
  newest_ = nullptr;
  const auto id_of = [](const Index& index) {
    return index.range->key().substr(index.prefix_bytes);
  };
  for (Index& index : indexes_) {
    if (!index.range->valid()) continue;
    if (newest_ == nullptr || id_of(index) > id_of(*newest_)) newest_ = &index;
  }
}

absl::Status FinishedScan::status() const {
  for (const Index& index : indexes_) RETURN_IF_ERROR(index.range->status());
  return absl::OkStatus();
}

bool Matches(const jobrunner::v1::Batch& batch, const engine::BatchFilter& filter) {
  if (!filter.queue.empty() && batch.queue() != filter.queue) return false;
  const auto& states = filter.states;
  if (!states.empty() && std::find(states.begin(), states.end(), batch.state()) == states.end()) {
    return false;
  }
  return std::all_of(filter.labels.begin(), filter.labels.end(), [&](const auto& label) {
    const auto found = batch.labels().find(label.first);
    return found != batch.labels().end() && found->second == label.second;
  });
}

}  // namespace jobrunner::storage
