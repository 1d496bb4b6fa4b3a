#include "simulation/slow_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace jobrunner::simulation {
namespace {

std::chrono::nanoseconds Slowest(Chance& chance) {
  // A third answers at once.
  return chance.Of(0.33) ? std::chrono::nanoseconds(0) : chance.Milliseconds(1, 2'000);
}

}  // namespace

SlowStore::SlowStore(Timeline* timeline, Chance* chance, Verdict* verdict,
                     std::function<bool()> dies)
    : timeline_(timeline),
      chance_(*chance),
      verdict_(verdict),
      dies_(std::move(dies)),
      slowest_(Slowest(*chance)) {}

std::chrono::nanoseconds SlowStore::Latency() {
  if (slowest_.count() == 0) return slowest_;
  return std::min(slowest_, chance_.Milliseconds(1, slowest_ / std::chrono::milliseconds(1)));
}

bool SlowStore::Dies() {
  if (!dead_) dead_ = dies_();
  return dead_;
}

void SlowStore::Later(std::function<void()> action) {
  timeline_->In(Latency(), [this, action = std::move(action), life = life_] {
    if (life == life_ && !Dies()) action();
  });
}

void SlowStore::Commit(std::vector<engine::Write> writes, engine::Sync sync,
                       std::function<void()> done) {
  log_.push_back(
      {timeline_->now(), std::make_shared<const std::vector<engine::Write>>(std::move(writes))});
  waiting_.push_back({log_.size() - 1, sync, std::move(done)});
  if (!Dies() && syncing_.empty()) Sync();
}

void SlowStore::Sync() {
  syncing_ = std::exchange(waiting_, {});
  Later([this] { Synced(); });
}

void SlowStore::Synced() {
  const std::deque<Waiting> group = std::exchange(syncing_, {});
  for (const Waiting& commit : group) {
    for (const engine::Write& write : *log_[commit.place].writes) Apply(write);
    // With it all that were before it.
    if (commit.sync == engine::Sync::kNow) stable_ = commit.place + 1;
    commit.done();
  }
  if (!Dies() && !waiting_.empty() && syncing_.empty()) Sync();
}

void SlowStore::Crash(size_t kept) {
  ++life_;
  dead_ = false;
  waiting_.clear();
  syncing_.clear();
  log_.resize(kept);
  stable_ = kept;
  batches_.clear();
  expire_times_.clear();
  removed_.clear();
  requests_.clear();
  staged_.DropAll();
  for (const Logged& commit : log_) {
    for (const engine::Write& write : *commit.writes) Apply(write);
  }
  // As a store does when it is opened.
  staged_.DropAll();
}

std::vector<std::unique_ptr<engine::Batch>> SlowStore::Recover() const {
  std::map<std::string, std::unique_ptr<engine::Batch>> folds;
  for (const Logged& commit : log_) {
    for (const engine::Write& write : *commit.writes) {
      const auto* append = std::get_if<engine::Append>(&write);
      if (append == nullptr || WasRemoved(append->batch_id)) continue;
      std::unique_ptr<engine::Batch>& fold = folds[append->batch_id];
      if (const auto* accepted = std::get_if<engine::Accepted>(&append->record)) {
        fold = std::make_unique<engine::Batch>(*accepted);
        fold->DropBytes();
      }
      fold->Apply(append->record);
    }
  }
  std::vector<std::unique_ptr<engine::Batch>> unfinished;
  for (auto& [id, fold] : folds) {
    if (!fold->finished()) unfinished.push_back(std::move(fold));
  }
  return unfinished;
}

void SlowStore::Apply(const engine::Write& write) {
  if (verdict_->failed()) return;
  std::visit([this](const auto& alternative) { Apply(alternative); }, write);
}

void SlowStore::Apply(const engine::Remove& remove) {
  const engine::Batch* batch = Find(remove.batch_id);
  if (batch == nullptr) return;
  auto request = requests_.find(batch->header().request_id);
  if (request != requests_.end()) {
    request->second.removed = batch->Describe();
    request->second.keep_until = remove.keep_request_until;
  }
  batches_.erase(remove.batch_id);
  expire_times_.erase(remove.batch_id);
  removed_.insert(remove.batch_id);
}

void SlowStore::Apply(const engine::ForgetRequest& forget) { requests_.erase(forget.request_id); }

void SlowStore::Apply(const engine::Append& append) {
  std::unique_ptr<engine::Batch>& batch = batches_[append.batch_id];
  if (const auto* record = std::get_if<engine::Accepted>(&append.record)) {
    engine::Accepted accepted = *record;
    staged_.TakeOver(append.batch_id, &accepted);
    batch = std::make_unique<engine::Batch>(accepted);
    const engine::BatchHeader& header = *accepted.header;
    if (!header.request_id.empty()) {
      requests_[header.request_id] = {header.id, header.fingerprint, std::nullopt};
    }
    return;
  }
  const auto* changed = std::get_if<engine::Changed>(&append.record);
  if (changed != nullptr && changed->segment != nullptr &&
      changed->segment->first_sequence() != batch->last_sequence() + 1) {
    verdict_->Fail(
        absl::StrCat(append.batch_id, ": the stored log has a gap after ", batch->last_sequence()));
    return;
  }
  batch->Apply(append.record);
  if (changed != nullptr && changed->finish) {
    expire_times_[append.batch_id] = changed->finish->expire_time;
  }
}

void SlowStore::FindExpired(const engine::FindExpired& find,
                            std::function<void(engine::FoundExpired)> found) {
  engine::Expired expired;
  const auto room = [&] {
    return expired.batch_ids.size() + expired.request_ids.size() < static_cast<size_t>(find.max);
  };
  for (const auto& [id, time] : expire_times_) {
    if (time <= find.now && room()) expired.batch_ids.push_back(id);
  }
  for (const auto& [id, request] : requests_) {
    if (request.keep_until <= find.now && room()) expired.request_ids.push_back(id);
  }
  Later([=] { found(engine::FoundExpired{expired}); });
}

std::optional<engine::KnownAnswer> SlowStore::Known(const std::string& request_id) const {
  const auto request = requests_.find(request_id);
  if (request == requests_.end()) return std::nullopt;
  const auto& [batch_id, fingerprint, removed, keep_until] = request->second;
  if (removed) return engine::KnownAnswer{fingerprint, *removed};
  const engine::Batch* batch = Find(batch_id);
  if (!batch->finished()) return std::nullopt;
  return engine::KnownAnswer{fingerprint, batch->Describe()};
}

void SlowStore::Load(const engine::LoadShard& load,
                     std::function<void(engine::ShardLoaded)> loaded) {
  engine::ShardLoaded answer{load.batch_id, load.first_index, absl::NotFoundError("not stored")};
  if (const engine::Batch* batch = Find(load.batch_id)) {
    for (const engine::Shard& shard : batch->shards()) {
      if (shard.first_index != load.first_index) continue;
      answer.jobs = engine::ShardJobs::Parse(load.batch_id, load.first_index, *shard.bytes);
    }
  } else if (!WasRemoved(load.batch_id)) {
    verdict_->Fail(absl::StrCat(load.batch_id, ": a shard is loaded before it is stable"));
  }
  Later([=] { loaded(answer); });
}

const engine::Batch* SlowStore::Find(const std::string& batch_id) const {
  auto found = batches_.find(batch_id);
  return found == batches_.end() ? nullptr : found->second.get();
}

bool SlowStore::WasRemoved(const std::string& batch_id) const {
  return removed_.contains(batch_id);
}

}  // namespace jobrunner::simulation
