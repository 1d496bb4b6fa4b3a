#include "storage/rocksdb_store.h"

#include <utility>

#include "base/status_macros.h"
#include "engine/refusal.h"
#include "storage/record_codec.h"

namespace jobrunner::storage {
namespace {

constexpr int kReadThreads = 2;
// Of the newest segments of all logs.
constexpr int64_t kLogCacheBytes = 16 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<RocksDbStore>> RocksDbStore::Open(std::string directory,
                                                                 RocksDbOptions options) {
  // Errors in the background and of commits come to the same, and are told once.
  auto told = std::make_shared<std::atomic<bool>>(false);
  const Failed failed = [told, tell = std::move(options.failed)](const absl::Status& status) {
    if (!told->exchange(true) && tell) tell(status);
  };
  ASSIGN_OR_RETURN(auto held, StoreDirectory::Take(std::move(directory)));
  ASSIGN_OR_RETURN(auto opened, OpenToServe(*held, {.failed = failed}, options.env));
  return std::unique_ptr<RocksDbStore>(
      new RocksDbStore(std::move(held), std::move(opened), options.disk_reserve_bytes, failed));
}

RocksDbStore::RocksDbStore(std::unique_ptr<StoreDirectory> directory, OpenDatabase opened,
                           int64_t disk_reserve_bytes, Failed failed)
    : directory_(std::move(directory)),
      mark_(std::move(opened.mark)),
      database_(std::move(opened.database)),
      room_(directory_->path(), disk_reserve_bytes),
      cache_(kLogCacheBytes),
      writer_(database_.get(), mark_.get(), &cache_, std::move(failed)),
      reader_(database_.get(), &cache_),
      backup_(database_.get()),
      reads_(kReadThreads),
      backups_(1),
      committer_(&writer_) {}

RocksDbStore::~RocksDbStore() { backup_.Stop(); }

absl::StatusOr<engine::Recovery> RocksDbStore::Recover() {
  engine::Recovery recovery;
  ASSIGN_OR_RETURN(recovery.epoch, RaiseEpoch());
  ASSIGN_OR_RETURN(recovery.staged_dropped, DropStaged());
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, reader_.UnfinishedIds());
  for (const std::string& id : ids) {
    ASSIGN_OR_RETURN(RocksDbReader::Folded folded, reader_.Fold(id));
    writer_.Resume(*folded.batch, folded.last_record);
    recovery.unfinished.push_back(std::move(folded.batch));
  }
  return recovery;
}

absl::StatusOr<int64_t> RocksDbStore::DropStaged() {
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, reader_.StagedIds());
  std::vector<engine::Write> drops;
  for (const std::string& id : ids) {
    writer_.ResumeStaged(id);
    drops.emplace_back(engine::DropStaged{id});
  }
  // Stored before anything that comes after it; an error is the store's end, and told as that.
  if (!ids.empty()) Commit(std::move(drops), engine::Sync::kWithNext, [](absl::Status) {});
  return static_cast<int64_t>(ids.size());
}

absl::StatusOr<uint32_t> RocksDbStore::RaiseEpoch() {
  ASSIGN_OR_RETURN(StoreState state, ReadState(database_.get()));
  ++state.epoch;
  RETURN_IF_ERROR(WriteState(state, database_.get()));
  return state.epoch;
}

void RocksDbStore::Commit(std::vector<engine::Write> writes, engine::Sync sync, CommitDone done) {
  committer_.Commit(std::move(writes), sync, std::move(done));
}

void RocksDbStore::LoadShard(std::string_view batch_id, int32_t first_index, ShardDone done) {
  reads_.Run([this, id = std::string(batch_id), first_index, done = std::move(done)] {
    done(reader_.LoadShard(id, first_index));
  });
}

void RocksDbStore::ReadLog(std::string_view batch_id, int64_t after_sequence, int64_t bytes_max,
                           PageDone done) {
  if (auto page = cache_.Read(batch_id, after_sequence, bytes_max)) return done(*std::move(page));
  reads_.Run([this, id = std::string(batch_id), after_sequence, bytes_max, done = std::move(done)] {
    done(reader_.ReadLog(id, after_sequence, bytes_max));
  });
}

void RocksDbStore::FindBatch(std::string_view batch_id, BatchDone done) {
  reads_.Run(
      [this, id = std::string(batch_id), done = std::move(done)] { done(reader_.FindBatch(id)); });
}

void RocksDbStore::ListFinished(const engine::BatchFilter& filter, std::string_view before_id,
                                int32_t page_size, ListDone done) {
  reads_.Run([this, filter, before = std::string(before_id), page_size, done = std::move(done)] {
    done(reader_.ListFinished(filter, before, page_size));
  });
}

void RocksDbStore::FindRequest(std::string_view request_id, RequestDone done) {
  // Nearly always: an id is new, or was used a moment ago.
  if (auto known = reader_.FindRequestInMemory(request_id)) return done(*std::move(known));
  reads_.Run([this, id = std::string(request_id), done = std::move(done)] {
    done(reader_.FindRequest(id));
  });
}

void RocksDbStore::FindExpired(base::WallTime now, int32_t max, ExpiredDone done) {
  reads_.Run([this, now, max, done = std::move(done)] { done(reader_.FindExpired(now, max)); });
}

void RocksDbStore::BackUp(std::string directory, int32_t keep, BackupDone done) {
  // Two at a time in one directory would spoil it.
  if (backing_up_.exchange(true)) {
    done(engine::Refuse(absl::StatusCode::kAborted, "BACKUP_RUNS", "another backup is being made"));
    return;
  }
  backups_.Run([this, directory = std::move(directory), keep, done = std::move(done)] {
    auto made = backup_.Make(directory, keep);
    backing_up_ = false;
    done(std::move(made));
  });
}

}  // namespace jobrunner::storage
