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
#include "engine/staged_shards.h"
#include "simulation/chance.h"
#include "simulation/timeline.h"
#include "simulation/verdict.h"

namespace jobrunner::simulation {

// A store in virtual time: what is committed while a sync is under way waits for the next one;
// shards arrive late and in any order. It folds what is done. The server may die at whatever it
// does.
class SlowStore {
 public:
  // One commit, and when it was made.
  struct Logged {
    base::Now time;
    std::shared_ptr<const std::vector<engine::Write>> writes;
  };

  // `dies` is asked before and after each thing: true, and nothing more is done until Crash.
  SlowStore(Timeline* timeline, Chance* chance, Verdict* verdict, std::function<bool()> dies);

  // `done` is called when it is.
  void Commit(std::vector<engine::Write> writes, engine::Sync sync, std::function<void()> done);

  // All commits, and how many of them, from the first on, no crash takes back.
  const std::vector<Logged>& log() const { return log_; }
  size_t stable() const { return stable_; }
  // The server has died, and the first `kept` commits are there.
  void Crash(size_t kept);
  // What is unfinished, folded anew.
  std::vector<std::unique_ptr<engine::Batch>> Recover() const;

  void Load(const engine::LoadShard& load, std::function<void(engine::ShardLoaded)> loaded);

  void FindExpired(const engine::FindExpired& find,
                   std::function<void(engine::FoundExpired)> found);
  // What it has for a request, as a caller sees it before it submits.
  std::optional<engine::KnownAnswer> Known(const std::string& request_id) const;

  // Null unless its acceptance is stable.
  const engine::Batch* Find(const std::string& batch_id) const;
  bool WasRemoved(const std::string& batch_id) const;
  // Batches of which shards are staged.
  int64_t staged() const { return staged_.batches(); }
  bool idle() const { return waiting_.empty() && syncing_.empty(); }
  // The longest that a sync or a load takes.
  std::chrono::nanoseconds slowest() const { return slowest_; }

 private:
  struct Waiting {
    size_t place = 0;
    engine::Sync sync = engine::Sync::kNow;
    std::function<void()> done;
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
  void Apply(const engine::StageShard& stage) { staged_.Stage(stage); }
  void Apply(const engine::DropStaged& drop) { staged_.Drop(drop.batch_id); }
  std::chrono::nanoseconds Latency();
  bool Dies();
  // After a while, unless the server dies before.
  void Later(std::function<void()> action);

  Timeline* const timeline_;
  Chance& chance_;
  Verdict* const verdict_;
  const std::function<bool()> dies_;
  const std::chrono::nanoseconds slowest_;
  std::vector<Logged> log_;
  size_t stable_ = 0;
  bool dead_ = false;
  int64_t life_ = 0;
  std::deque<Waiting> waiting_;
  std::deque<Waiting> syncing_;
  std::map<std::string, std::unique_ptr<engine::Batch>> batches_;
  std::map<std::string, base::WallTime> expire_times_;
  std::set<std::string> removed_;
  std::map<std::string, Request> requests_;
  engine::StagedShards staged_;
};

}  // namespace jobrunner::simulation
