#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
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

  void FindExpired(const engine::FindExpired& find,
                   std::function<void(engine::FoundExpired)> found);
  // What it has for a request, as a caller sees it before it submits.
  std::optional<engine::KnownAnswer> Known(const std::string& request_id) const;

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
  struct Request {
    std::string batch_id;
    std::string fingerprint;
    std::optional<v1::Batch> removed;
    base::WallTime keep_until = base::WallTime::max();
  };

  void Sync();
  void Synced();
  void Apply(const engine::Write& write);
  void Apply(const engine::Append& append);
  void Apply(const engine::Remove& remove);
  void Apply(const engine::ForgetRequest& forget);
  std::chrono::nanoseconds Latency();

  Timeline* const timeline_;
  Chance& chance_;
  Verdict* const verdict_;
  const std::chrono::nanoseconds slowest_;
  std::deque<Waiting> waiting_;
  std::deque<Waiting> syncing_;
  std::map<std::string, std::unique_ptr<engine::Batch>> batches_;
  std::map<std::string, base::WallTime> expire_times_;
  std::set<std::string> removed_;
  std::map<std::string, Request> requests_;
};

}  // namespace jobrunner::simulation
