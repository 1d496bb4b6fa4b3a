#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/batch.h"
#include "engine/effect.h"
#include "engine/input.h"
#include "simulation/chance.h"
#include "simulation/timeline.h"
#include "simulation/verdict.h"

namespace jobrunner::simulation {

// A store in virtual time: what is committed while a sync is under way waits for the next one;
// shards arrive late and in any order. It folds what is stable.
class SlowStore {
 public:
  SlowStore(Timeline* timeline, Chance* chance, Verdict* verdict);

  // `stable` is called when it is.
  void Commit(std::vector<engine::Write> writes, std::function<void()> stable);
  void Load(const engine::LoadShard& load, std::function<void(engine::ShardLoaded)> loaded);

  // Null unless its acceptance is stable.
  const engine::Batch* Find(const std::string& batch_id) const;
  bool WasRemoved(const std::string& batch_id) const;
  bool idle() const { return waiting_.empty() && syncing_.empty(); }
  // The longest that a sync or a load takes.
  std::chrono::nanoseconds slowest() const { return slowest_; }

 private:
  struct Waiting {
    std::vector<engine::Write> writes;
    std::function<void()> stable;
  };

  void Sync();
  void Synced();
  void Apply(engine::Write write);
  std::chrono::nanoseconds Latency();

  Timeline* const timeline_;
  Chance& chance_;
  Verdict* const verdict_;
  const std::chrono::nanoseconds slowest_;
  std::deque<Waiting> waiting_;
  std::deque<Waiting> syncing_;
  std::map<std::string, std::unique_ptr<engine::Batch>> batches_;
  std::map<std::string, bool> removed_;
};

}  // namespace jobrunner::simulation
