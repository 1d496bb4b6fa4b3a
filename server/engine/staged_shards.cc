#include "engine/staged_shards.h"

#include <utility>

#include "base/check.h"

namespace jobrunner::engine {

void StagedShards::Stage(StageShard stage) {
  shards_[stage.batch_id].push_back(std::move(stage.shard));
}

void StagedShards::TakeOver(const std::string& batch_id, Accepted* accepted) {
  const auto found = shards_.find(batch_id);
  if (found == shards_.end()) return;
  auto next = found->second.begin();
  for (Shard& shard : accepted->shards) {
    if (shard.bytes != nullptr) continue;
    JOBRUNNER_CHECK(next != found->second.end() && next->first_index == shard.first_index);
    shard.bytes = std::move(next->bytes);
    ++next;
  }
  shards_.erase(found);
}

int64_t StagedShards::DropAll() {
  const int64_t dropped = batches();
  shards_.clear();
  return dropped;
}

}  // namespace jobrunner::engine
