// The server dies, and another one starts on what its store has.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/proto_time.h"
#include "simulation/clients.h"
#include "simulation/world.h"

namespace jobrunner::simulation {
namespace {

// Somebody was told of it.
bool IsSeen(const engine::Write& write) {
  const auto* append = std::get_if<engine::Append>(&write);
  if (append == nullptr) return false;
  const auto* changed = std::get_if<engine::Changed>(&append->record);
  return std::holds_alternative<engine::Accepted>(append->record) ||
         (changed != nullptr && changed->segment != nullptr);
}

}  // namespace

bool World::ServerDies() {
  if (dead_ || deaths_left_ == 0 || phase_ == Phase::kEnding || verdict_.failed()) return dead_;
  dead_ = chance_.Of(dying_);
  if (dead_) --deaths_left_;
  return dead_;
}

// How many commits are left: all that are stable, and of the others those up to some point.
size_t World::Survivors() {
  const size_t stable = store_.stable();
  if (fault_ == Fault::kAcknowledgedLost) {
    for (size_t i = std::min(commits_shown_, stable); i-- > 0;) {
      const auto& writes = *store_.log()[i].writes;
      if (std::any_of(writes.begin(), writes.end(), IsSeen) && Fires(fault_)) return i;
    }
  }
  return static_cast<size_t>(
      chance_.Between(static_cast<int64_t>(stable), static_cast<int64_t>(store_.log().size())));
}

void World::Restart() {
  ++restarts_;
  dead_ = false;
  inputs_.clear();
  endings_.clear();
  live_.clear();
  live_in_pool_ = 0;
  sessions_.clear();
  lost_slots_.clear();
  submitted_.clear();
  refused_ = 0;
  executor_.ServerDied();
  clients_->ServerDied();
  store_.Crash(Survivors());
  commits_told_ = commits_shown_ = store_.log().size();
  stagings_done_ = 0;
  CheckSurvivors();
  if (verdict_.failed()) return;

  const auto down =
      chance_.Of(0.5) ? std::chrono::nanoseconds(0) : chance_.Milliseconds(1, 600'000);
  timeline_.MoveTo(timeline_.now().steady + down);
  give_up_at_ = engine::Later(give_up_at_, down);
  if (chance_.Of(0.2)) timeline_.JumpWall(std::chrono::seconds(chance_.Between(-3'600, 3'600)));
  drain_told_.reset();
  drained_.reset();
  if (phase_ == Phase::kEnding) phase_ = Phase::kSettling;
  RestartCheckers();
  RestartQueues();

  // As each server has: what it makes up, ids too, is its own.
  options_.seed = chance_.Seed();
  options_.epoch += static_cast<uint32_t>(chance_.Between(1, 3));
  if (phase_ == Phase::kSettling) options_.pool = {0, 40};
  pool_max_ = options_.pool.max;
  engine_ = std::make_unique<engine::Engine>(options_);
  for (const engine::Publish& log : engine_->Restore(timeline_.now(), store_.Recover())) {
    Require(log.opened && log.last_sequence == store_.Find(log.batch->id)->last_sequence(),
            log.batch->id + ": a log is opened where it ended");
  }
  wake_ = base::SteadyTime::min();
  restarted_at_ = timeline_.now().steady;
  if (remote()) workers_.ServerDied(options_.epoch);
}

// Nothing that anybody was told is taken back.
void World::CheckSurvivors() {
  for (const auto& [id, sequence] : shown_) {
    const engine::Batch* stored = store_.Find(id);
    Require(store_.WasRemoved(id) || (stored != nullptr && stored->last_sequence() >= sequence),
            absl::StrCat(id, ": what was shown up to ", sequence, " outlives the server"));
  }
}

void World::RestartCheckers() {
  std::map<std::string, BatchChecker::History> histories;
  for (const SlowStore::Logged& commit : store_.log()) {
    for (const engine::Write& write : *commit.writes) {
      const auto* append = std::get_if<engine::Append>(&write);
      if (append != nullptr) histories[append->batch_id].emplace_back(commit.time, &append->record);
    }
  }
  // What was never stable never was.
  std::erase_if(checkers_, [&](const auto& entry) { return !histories.contains(entry.first); });
  std::erase_if(removed_, [this](const std::string& id) { return !store_.WasRemoved(id); });
  unfinished_batches_ = 0;
  for (const auto& [id, checker] : checkers_) {
    checker->Restarted(timeline_.now(), histories.at(id));
    if (!checker->finished()) ++unfinished_batches_;
    // Whether anybody had been told of it or not: from now on it can be read.
    if (const engine::Batch* stored = store_.Find(id)) shown_[id] = stored->last_sequence();
  }
}

// As they are configured, and none paused.
void World::RestartQueues() {
  for (auto& [name, queue] : queues_) queue = QueueModel();
  for (const engine::QueueSettings& queue : options_.queues) queues_[queue.name].settings = queue;
}

}  // namespace jobrunner::simulation
