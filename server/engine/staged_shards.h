// For stores that keep shards in memory: those that are staged.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/record.h"
#include "engine/store.h"

namespace jobrunner::engine {

// Holds the shards of StageShard until the batch's Accepted takes them over, or DropStaged lets
// them go. Not thread-safe.
class StagedShards {
 public:
  void Stage(StageShard stage);
  // Gives the shards that come without bytes theirs, if any were staged for the batch.
  void TakeOver(const std::string& batch_id, Accepted* accepted);
  void Drop(const std::string& batch_id) { shards_.erase(batch_id); }
  // All: a new server forgets what its predecessor did not finish. Returns of how many batches.
  int64_t DropAll();

  // For which something is staged.
  int64_t batches() const { return static_cast<int64_t>(shards_.size()); }

 private:
  // By batch, in their order.
  std::map<std::string, std::vector<Shard>> shards_;
};

}  // namespace jobrunner::engine
