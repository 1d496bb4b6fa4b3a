#include "storage/rocksdb_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/keys.h"
#include "storage/record_codec.h"
#include "storage/rocksdb_options.h"
#include "storage/rocksdb_status.h"

namespace jobrunner::storage {
namespace {

constexpr int kReadThreads = 2;
// Of the newest segments of all logs.
constexpr int64_t kLogCacheBytes = 16 << 20;

absl::StatusOr<std::unique_ptr<rocksdb::DB>> OpenDatabase(
    const StoreDirectory& directory, const RocksDbWriter::FailedCallback& failed) {
  rocksdb::Options options = MakeRocksDbOptions(failed);
  options.create_if_missing = directory.is_new();
  rocksdb::DB* database = nullptr;
  RETURN_IF_ERROR(FromRocksDb(rocksdb::DB::Open(options, directory.database(), &database),
                              "opening the store " + directory.path()));
  return std::unique_ptr<rocksdb::DB>(database);
}

absl::Status WriteState(const StoreState& state, rocksdb::DB* database) {
  rocksdb::WriteOptions options;
  options.sync = true;
  return FromRocksDb(database->Put(options, keys::Store(), Encode(state)), "writing the store");
}

absl::StatusOr<StoreState> ReadState(rocksdb::DB* database) {
  std::string bytes;
  RETURN_IF_ERROR(FromRocksDb(database->Get(rocksdb::ReadOptions(), keys::Store(), &bytes),
                              "reading the store's description"));
  return DecodeStoreState(bytes);
}

// Brings a store of an older format up to this one. Format 1 is the first, so that there is nothing
// to bring up yet: a step for each format goes here, each of which writes its format when it is
// done.
absl::Status Migrate(const StoreState& /*state*/, rocksdb::DB* /*database*/) {
  static_assert(kFormat == 1);
  return absl::OkStatus();
}

absl::Status CheckFormat(const StoreDirectory& directory, rocksdb::DB* database) {
  auto state = ReadState(database);
  if (absl::IsNotFound(state.status())) {
    // It is new, or its making was cut short.
    return WriteState({}, database);
  }
  if (!state.ok()) return state.status();
  if (state->format > kFormat) {
    return absl::FailedPreconditionError(
        absl::StrCat("the store ", directory.path(), " has format ", state->format,
                     "; this program knows up to ", kFormat,
                     ". Use the version of jobrunner that wrote it, or a newer one"));
  }
  return Migrate(*state, database);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RocksDbStore>> RocksDbStore::Open(std::string directory,
                                                                 RocksDbOptions options) {
  // Errors in the background and of commits come to the same, and are told once.
  auto told = std::make_shared<std::atomic<bool>>(false);
  const Failed failed = [told, tell = std::move(options.failed)](const absl::Status& status) {
    if (!told->exchange(true) && tell) tell(status);
  };
  ASSIGN_OR_RETURN(auto held, StoreDirectory::Take(std::move(directory)));
  ASSIGN_OR_RETURN(auto database, OpenDatabase(*held, failed));
  RETURN_IF_ERROR(CheckFormat(*held, database.get()));
  return std::unique_ptr<RocksDbStore>(
      new RocksDbStore(std::move(held), std::move(database), options.disk_reserve_bytes, failed));
}

RocksDbStore::RocksDbStore(std::unique_ptr<StoreDirectory> directory,
                           std::unique_ptr<rocksdb::DB> database, int64_t disk_reserve_bytes,
                           Failed failed)
    : directory_(std::move(directory)),
      database_(std::move(database)),
      room_(directory_->path(), disk_reserve_bytes),
      cache_(kLogCacheBytes),
      writer_(database_.get(), &cache_, std::move(failed)),
      reader_(database_.get(), &cache_),
      reads_(kReadThreads),
      committer_(&writer_) {}

RocksDbStore::~RocksDbStore() = default;

absl::StatusOr<engine::Recovery> RocksDbStore::Recover() {
  engine::Recovery recovery;
  ASSIGN_OR_RETURN(recovery.epoch, RaiseEpoch());
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, reader_.UnfinishedIds());
  for (const std::string& id : ids) {
    ASSIGN_OR_RETURN(RocksDbReader::Folded folded, reader_.Fold(id));
    writer_.Resume(*folded.batch, folded.last_record);
    recovery.unfinished.push_back(std::move(folded.batch));
  }
  return recovery;
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
  done(reader_.FindRequest(request_id));
}

void RocksDbStore::FindExpired(base::WallTime now, int32_t max, ExpiredDone done) {
  reads_.Run([this, now, max, done = std::move(done)] { done(reader_.FindExpired(now, max)); });
}

}  // namespace jobrunner::storage
