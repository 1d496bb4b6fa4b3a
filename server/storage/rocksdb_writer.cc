#include "storage/rocksdb_writer.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "engine/proto_time.h"
#include "storage/keys.h"
#include "storage/rocksdb_status.h"
#include "storage/summary_index.h"

namespace jobrunner::storage {
namespace {

using jobrunner::v1::BatchFinished;

// A larger one is not kept for the next group.
constexpr size_t kGroupBytesKept = 8 << 20;

BatchFinished EndOf(const engine::Changed& changed) {
  if (changed.segment == nullptr) return {};
  return changed.segment->EventAt(changed.segment->last_sequence()).batch_finished();
}

// A finished batch as engine::Batch describes it: from its header and its last event, so that no
// fold has to be at hand.
Summary Summarize(const engine::BatchHeaderPtr& header, const engine::Changed& changed,
                  int64_t last_sequence) {
  const BatchFinished end = EndOf(changed);
  Summary summary{engine::Batch({header, {}}).Describe(), header->request_id,
                  changed.finish->expire_time};
  summary.batch.set_state(changed.finish->state);
  *summary.batch.mutable_finish_time() = engine::ToTimestamp(changed.finish->time);
  summary.batch.set_last_sequence(last_sequence);
  summary.batch.mutable_counts()->set_queued(0);
  summary.batch.mutable_counts()->set_succeeded(end.succeeded());
  summary.batch.mutable_counts()->set_failed(end.failed());
  summary.batch.mutable_counts()->set_cancelled(end.cancelled());
  summary.batch.set_cancel_requested(end.has_error());
  if (end.has_error()) *summary.batch.mutable_error() = end.error();
  return summary;
}

}  // namespace

RocksDbWriter::RocksDbWriter(rocksdb::DB* database, RocksDbMark* mark, LogCache* cache,
                             FailedCallback failed)
    : database_(*database), mark_(*mark), cache_(*cache), failed_(std::move(failed)) {}

void RocksDbWriter::Resume(const engine::Batch& batch, int64_t last_record) {
  unfinished_[batch.id()] = {batch.header_ptr(), last_record, batch.last_sequence()};
  cache_.Resume(batch.id(), batch.last_sequence());
}

absl::Status RocksDbWriter::Add(engine::Write write) {
  return std::visit([this](auto& alternative) { return Put(alternative); }, write);
}

absl::Status RocksDbWriter::Store(bool sync) {
  rocksdb::WriteOptions options;
  options.sync = sync;
  RETURN_IF_ERROR(FromRocksDb(database_.Write(options, &group_), "writing the store"));
  if (sync) mark_.Synced(database_);
  group_.Clear();
  if (group_.Data().capacity() > kGroupBytesKept) group_ = rocksdb::WriteBatch();
  changed_.clear();
  cache_.Apply(std::exchange(updates_, {}));
  return absl::OkStatus();
}

absl::Status RocksDbWriter::Put(engine::Append& append) {
  if (const auto* accepted = std::get_if<engine::Accepted>(&append.record)) {
    return Begin(append.batch_id, *accepted);
  }
  const auto found = unfinished_.find(append.batch_id);
  if (found == unfinished_.end()) {
    return absl::InternalError(
        absl::StrCat("a record for batch ", append.batch_id, ", which is not unfinished"));
  }
  Unfinished& batch = found->second;
  const std::string key = keys::Record(append.batch_id, ++batch.last_record);
  if (const auto* cancel = std::get_if<engine::CancelRequested>(&append.record)) {
    group_.Put(key, Encode(*cancel));
    return absl::OkStatus();
  }
  auto& changed = std::get<engine::Changed>(append.record);
  group_.Put(key, Encode(changed));
  Change(append.batch_id, changed, &batch);
  if (changed.finish) unfinished_.erase(found);
  return absl::OkStatus();
}

absl::Status RocksDbWriter::Begin(const std::string& batch_id, const engine::Accepted& accepted) {
  const engine::BatchHeader& header = *accepted.header;
  const bool staged = staged_.erase(batch_id) > 0;
  if (staged) group_.Delete(keys::Staged(batch_id));
  group_.Put(keys::Header(batch_id), Encode(accepted));
  for (const engine::Shard& shard : accepted.shards) {
    if (shard.bytes != nullptr) {
      group_.Put(keys::Shard(batch_id, shard.first_index), *shard.bytes);
    } else if (!staged) {
      return absl::InternalError(absl::StrCat("batch ", batch_id, " has no shards staged"));
    }
  }
  group_.Put(keys::Unfinished(batch_id), "");
  if (!header.request_id.empty()) {
    PutRead(keys::Request(header.request_id),
            Encode(StoredRequest{{batch_id, header.fingerprint, std::nullopt}, std::nullopt}));
  }
  unfinished_[batch_id] = {accepted.header, 0, 0};
  updates_.push_back({batch_id, LogUpdate::Kind::kBegun, nullptr});
  return absl::OkStatus();
}

// A staged shard lies where it will lie in its batch, so that accepting that takes its header
// alone.
absl::Status RocksDbWriter::Put(const engine::StageShard& stage) {
  const auto [staged, first] = staged_.insert(stage.batch_id);
  if (first) group_.Put(keys::Staged(stage.batch_id), "");
  group_.Put(keys::Shard(stage.batch_id, stage.shard.first_index), *stage.shard.bytes);
  return absl::OkStatus();
}

absl::Status RocksDbWriter::Put(const engine::DropStaged& drop) {
  // A batch by now, or never staged.
  if (staged_.erase(drop.batch_id) == 0) return absl::OkStatus();
  const keys::Range range = keys::Batch(drop.batch_id);
  group_.DeleteRange(range.begin, range.end);
  group_.Delete(keys::Staged(drop.batch_id));
  return absl::OkStatus();
}

void RocksDbWriter::Change(const std::string& batch_id, engine::Changed& changed,
                           Unfinished* batch) {
  if (changed.segment != nullptr) {
    group_.Put(keys::Segment(batch_id, changed.segment->first_sequence()),
               changed.segment->bytes());
    batch->last_sequence = changed.segment->last_sequence();
    updates_.push_back({batch_id, LogUpdate::Kind::kGrew, changed.segment});
  }
  if (!changed.finish) return;
  Finish(*batch, changed);
  updates_.push_back({batch_id, LogUpdate::Kind::kFinished, nullptr});
}

void RocksDbWriter::Finish(const Unfinished& batch, const engine::Changed& changed) {
  const Summary summary = Summarize(batch.header, changed, batch.last_sequence);
  group_.Delete(keys::Unfinished(summary.batch.id()));
  for (const std::string& key : SummaryIndexKeys(summary)) group_.Put(key, "");
  PutRead(keys::Summary(summary.batch.id()), Encode(summary));
}

absl::Status RocksDbWriter::Put(const engine::Remove& remove) {
  const keys::Range range = keys::Batch(remove.batch_id);
  group_.DeleteRange(range.begin, range.end);
  updates_.push_back({remove.batch_id, LogUpdate::Kind::kRemoved, nullptr});
  const auto found = unfinished_.find(remove.batch_id);
  if (found != unfinished_.end()) {
    group_.Delete(keys::Unfinished(remove.batch_id));
    const engine::BatchHeaderPtr header = std::move(found->second.header);
    unfinished_.erase(found);
    return RemoveFromRequest(header->request_id, remove, engine::Batch({header, {}}).Describe());
  }
  const std::string key = keys::Summary(remove.batch_id);
  ASSIGN_OR_RETURN(const auto bytes, Read(key));
  // Removing what is not there changes nothing.
  if (!bytes) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Summary summary, DecodeSummary(*bytes));
  for (const std::string& index : SummaryIndexKeys(summary)) group_.Delete(index);
  DeleteRead(key);
  return RemoveFromRequest(summary.request_id, remove, summary.batch);
}

absl::Status RocksDbWriter::RemoveFromRequest(const std::string& request_id,
                                              const engine::Remove& remove,
                                              jobrunner::v1::Batch last) {
  if (request_id.empty()) return absl::OkStatus();
  const std::string key = keys::Request(request_id);
  ASSIGN_OR_RETURN(const auto bytes, Read(key));
  if (!bytes) return absl::OkStatus();
  ASSIGN_OR_RETURN(StoredRequest request, DecodeRequest(*bytes));
  // The id was forgotten, and used again.
  if (request.known.batch_id != remove.batch_id) return absl::OkStatus();
  request.known.removed = std::move(last);
  request.keep_until = remove.keep_request_until;
  PutRead(key, Encode(request));
  group_.Put(keys::RequestExpiry(remove.keep_request_until, request_id), "");
  return absl::OkStatus();
}

absl::Status RocksDbWriter::Put(const engine::ForgetRequest& forget) {
  const std::string key = keys::Request(forget.request_id);
  ASSIGN_OR_RETURN(const auto bytes, Read(key));
  if (!bytes) return absl::OkStatus();
  ASSIGN_OR_RETURN(const StoredRequest request, DecodeRequest(*bytes));
  if (request.keep_until) {
    group_.Delete(keys::RequestExpiry(*request.keep_until, forget.request_id));
  }
  DeleteRead(key);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> RocksDbWriter::Read(const std::string& key) {
  const auto found = changed_.find(key);
  if (found != changed_.end()) return found->second;
  std::string value;
  const rocksdb::Status status = database_.Get(rocksdb::ReadOptions(), key, &value);
  if (status.IsNotFound()) return std::nullopt;
  RETURN_IF_ERROR(FromRocksDb(status, "reading the store"));
  return value;
}

void RocksDbWriter::PutRead(const std::string& key, std::string value) {
  group_.Put(key, value);
  changed_[key] = std::move(value);
}

void RocksDbWriter::DeleteRead(const std::string& key) {
  group_.Delete(key);
  changed_[key] = std::nullopt;
}

}  // namespace jobrunner::storage
