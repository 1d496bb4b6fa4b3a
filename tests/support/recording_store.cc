#include "support/recording_store.h"

#include <utility>

namespace jobrunner::test {

namespace {

std::unique_ptr<engine::Batch> Fold(const RecordingStore::Stored& stored) {
  auto batch = std::make_unique<engine::Batch>(std::get<engine::Accepted>(stored.records.front()));
  for (const engine::Record& record : stored.records) batch->Apply(record);
  return batch;
}

}  // namespace

absl::StatusOr<engine::Recovery> RecordingStore::Recover() {
  engine::Recovery recovery;
  recovery.epoch = ++epoch_;
  recovery.staged_dropped = staged_.DropAll();
  for (const auto& [id, stored] : batches_) {
    if (!stored.batch->finished()) recovery.unfinished.push_back(Fold(stored));
  }
  return recovery;
}

void RecordingStore::Commit(std::vector<engine::Write> writes, engine::Sync sync, CommitDone done) {
  syncs_.push_back(sync);
  commits_.push_back({std::move(writes), std::move(done)});
  if (!hold_commits_) ReleaseCommit();
}

void RecordingStore::LoadShard(std::string_view batch_id, int32_t first_index, ShardDone done) {
  ++loads_seen_;
  loads_.push_back({std::string(batch_id), first_index, std::move(done)});
  if (!hold_loads_) ReleaseLoad();
}

void RecordingStore::ReadLog(std::string_view batch_id, int64_t after_sequence, int64_t,
                             PageDone done) {
  const Stored* stored = Find(std::string(batch_id));
  if (stored == nullptr) {
    done(absl::NotFoundError("the batch is not stored"));
    return;
  }
  engine::LogPage page;
  for (const auto& segment : stored->segments) {
    if (segment->last_sequence() > after_sequence) page.segments.push_back(segment);
  }
  page.finished = stored->batch->finished();
  done(std::move(page));
}

void RecordingStore::FindBatch(std::string_view batch_id, BatchDone done) {
  const Stored* stored = Find(std::string(batch_id));
  if (stored == nullptr) {
    done(absl::NotFoundError("the batch is not stored"));
  } else {
    done(std::shared_ptr<const engine::Batch>(Fold(*stored)));
  }
}

void RecordingStore::ListFinished(const engine::BatchFilter& /*filter*/,
                                  std::string_view /*before_id*/, int32_t /*page_size*/,
                                  ListDone done) {
  done(engine::BatchPage());
}

void RecordingStore::FindRequest(std::string_view request_id, RequestDone done) {
  auto found = requests_.find(std::string(request_id));
  if (found == requests_.end()) {
    done(absl::NotFoundError("no such request is remembered"));
  } else {
    done(found->second.known);
  }
}

void RecordingStore::FindExpired(base::WallTime now, int32_t max, ExpiredDone done) {
  engine::Expired expired;
  const auto room = [&] {
    return expired.batch_ids.size() + expired.request_ids.size() < static_cast<size_t>(max);
  };
  for (const auto& [id, stored] : batches_) {
    if (stored.expire_time <= now && room()) expired.batch_ids.push_back(id);
  }
  for (const auto& [id, request] : requests_) {
    if (request.keep_until <= now && room()) expired.request_ids.push_back(id);
  }
  done(std::move(expired));
}

void RecordingStore::HoldCommits(bool hold) {
  hold_commits_ = hold;
  while (!hold && ReleaseCommit()) {
  }
}

void RecordingStore::HoldLoads(bool hold) {
  hold_loads_ = hold;
  while (!hold && ReleaseLoad()) {
  }
}

bool RecordingStore::ReleaseCommit() {
  if (commits_.empty()) return false;
  HeldCommit commit = std::move(commits_.front());
  commits_.pop_front();
  for (engine::Write& write : commit.writes) Apply(std::move(write));
  commit.done(absl::OkStatus());
  return true;
}

bool RecordingStore::ReleaseLoad() {
  if (loads_.empty()) return false;
  const HeldLoad load = std::move(loads_.front());
  loads_.pop_front();
  Answer(load);
  return true;
}

void RecordingStore::Crash(size_t kept) {
  for (size_t i = 0; i < kept && i < commits_.size(); ++i) {
    for (engine::Write& write : commits_[i].writes) Apply(std::move(write));
  }
  commits_.clear();
  loads_.clear();
  hold_commits_ = false;
  hold_loads_ = false;
}

const RecordingStore::Stored* RecordingStore::Find(const std::string& batch_id) const {
  auto found = batches_.find(batch_id);
  return found == batches_.end() ? nullptr : &found->second;
}

std::vector<v1::Event> RecordingStore::Events(const std::string& batch_id) const {
  std::vector<v1::Event> events;
  const Stored* stored = Find(batch_id);
  if (stored == nullptr) return events;
  for (const auto& segment : stored->segments) {
    for (int64_t i = segment->first_sequence(); i <= segment->last_sequence(); ++i) {
      events.push_back(segment->EventAt(i));
    }
  }
  return events;
}

void RecordingStore::Apply(engine::Write write) {
  std::visit([this](auto& alternative) { Apply(alternative); }, write);
}

void RecordingStore::Apply(engine::Remove& remove) {
  auto found = batches_.find(remove.batch_id);
  if (found == batches_.end()) return;
  auto request = requests_.find(found->second.batch->header().request_id);
  if (request != requests_.end()) {
    request->second.known.removed = found->second.batch->Describe();
    request->second.keep_until = remove.keep_request_until;
  }
  batches_.erase(found);
}

void RecordingStore::Apply(engine::ForgetRequest& forget) { requests_.erase(forget.request_id); }

void RecordingStore::Apply(engine::Append& append) {
  Stored& stored = batches_[append.batch_id];
  if (auto* accepted = std::get_if<engine::Accepted>(&append.record)) {
    staged_.TakeOver(append.batch_id, accepted);
    const engine::BatchHeader& header = *accepted->header;
    stored.batch = std::make_unique<engine::Batch>(*accepted);
    if (!header.request_id.empty()) {
      requests_[header.request_id].known = {header.id, header.fingerprint, std::nullopt};
    }
  }
  stored.batch->Apply(append.record);
  const auto* changed = std::get_if<engine::Changed>(&append.record);
  if (changed != nullptr && changed->segment != nullptr) {
    stored.segments.push_back(changed->segment);
  }
  if (changed != nullptr && changed->finish) stored.expire_time = changed->finish->expire_time;
  stored.records.push_back(std::move(append.record));
}

void RecordingStore::Answer(const HeldLoad& load) {
  const Stored* stored = Find(load.batch_id);
  if (stored != nullptr) {
    for (const engine::Shard& shard : stored->batch->shards()) {
      if (shard.first_index == load.first_index) {
        load.done(shard.bytes);
        return;
      }
    }
  }
  load.done(absl::NotFoundError("no such shard is stored"));
}

}  // namespace jobrunner::test
