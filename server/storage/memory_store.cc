#include "storage/memory_store.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace jobrunner::storage {
namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::Status NoBatch() { return absl::NotFoundError("the batch is not (any more) stored"); }

}  // namespace

void MemoryStore::Commit(std::vector<engine::Write> writes, engine::Sync /*sync*/,
                         CommitDone done) {
  {
    absl::MutexLock lock(&mutex_);
    for (engine::Write& write : writes) {
      std::visit(
          [this](auto& alternative) {
            mutex_.AssertHeld();
            Apply(alternative);
          },
          write);
    }
  }
  done(absl::OkStatus());
}

void MemoryStore::Apply(const engine::Remove& remove) { batches_.erase(remove.batch_id); }

void MemoryStore::Apply(engine::StageShard& stage) { staged_.Stage(std::move(stage)); }

void MemoryStore::Apply(const engine::DropStaged& drop) { staged_.Drop(drop.batch_id); }

void MemoryStore::Apply(engine::Append& append) {
  StoredBatch& batch = batches_[append.batch_id];
  if (auto* accepted = std::get_if<engine::Accepted>(&append.record)) {
    staged_.TakeOver(append.batch_id, accepted);
    batch.shards = std::move(accepted->shards);
  } else if (auto* changed = std::get_if<engine::Changed>(&append.record)) {
    if (changed->segment != nullptr) batch.segments.push_back(std::move(changed->segment));
    if (changed->finish) batch.finished = true;
  }
  // The state that the records fold to is the engine's; nobody reads them back from here.
}

void MemoryStore::LoadShard(std::string_view batch_id, int32_t first_index, ShardDone done) {
  done(FindShard(batch_id, first_index));
}

void MemoryStore::ReadLog(std::string_view batch_id, int64_t after_sequence, int64_t bytes_max,
                          PageDone done) {
  done(FindPage(batch_id, after_sequence, bytes_max));
}

absl::StatusOr<std::shared_ptr<const std::string>> MemoryStore::FindShard(std::string_view batch_id,
                                                                          int32_t first_index) {
  absl::MutexLock lock(&mutex_);
  auto found = batches_.find(View(batch_id));
  if (found == batches_.end()) return NoBatch();
  const auto& shards = found->second.shards;
  auto shard =
      std::lower_bound(shards.begin(), shards.end(), first_index,
                       [](const engine::Shard& s, int32_t index) { return s.first_index < index; });
  if (shard == shards.end() || shard->first_index != first_index) {
    return absl::NotFoundError("no shard begins there");
  }
  return shard->bytes;
}

absl::StatusOr<engine::LogPage> MemoryStore::FindPage(std::string_view batch_id,
                                                      int64_t after_sequence, int64_t bytes_max) {
  absl::MutexLock lock(&mutex_);
  auto found = batches_.find(View(batch_id));
  if (found == batches_.end()) return NoBatch();
  const StoredBatch& batch = found->second;
  auto next = std::upper_bound(
      batch.segments.begin(), batch.segments.end(), after_sequence,
      [](int64_t sequence, const auto& segment) { return sequence < segment->last_sequence(); });
  engine::LogPage page;
  int64_t bytes = 0;
  // One at least, whatever the bound.
  for (; next != batch.segments.end() && (bytes < bytes_max || page.segments.empty()); ++next) {
    bytes += static_cast<int64_t>((*next)->bytes().size());
    page.segments.push_back(*next);
  }
  page.finished = batch.finished && next == batch.segments.end();
  return page;
}

void MemoryStore::FindBatch(std::string_view /*batch_id*/, BatchDone done) { done(NoBatch()); }

void MemoryStore::ListFinished(const engine::BatchFilter& /*filter*/,
                               std::string_view /*before_id*/, int32_t /*page_size*/,
                               ListDone done) {
  done(engine::BatchPage());
}

void MemoryStore::FindRequest(std::string_view /*request_id*/, RequestDone done) {
  done(absl::NotFoundError("requests are not remembered here"));
}

void MemoryStore::FindExpired(base::WallTime /*now*/, int32_t /*max*/, ExpiredDone done) {
  done(engine::Expired());
}

}  // namespace jobrunner::storage
