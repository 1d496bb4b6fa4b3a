#include "storage/rocksdb_reader.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/batch_fold.h"
#include "storage/finished_scan.h"
#include "storage/keys.h"
#include "storage/rocksdb_range.h"
#include "storage/rocksdb_status.h"

namespace jobrunner::storage {
namespace {

// Folds kept: 8 bytes a job.
constexpr int64_t kFoldJobsMax = 2'000'000;
// How many batches one ListFinished looks at.
constexpr int32_t kListLooksMax = 5'000;

absl::Status NoBatch() { return absl::NotFoundError("the batch is not (any more) stored"); }

absl::Status Gap(std::string_view batch_id, absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("batch ", absl::string_view(batch_id.data(), batch_id.size()), " lacks ", what));
}

absl::StatusOr<std::string> Get(rocksdb::DB& database, const std::string& key) {
  std::string value;
  RETURN_IF_ERROR(
      FromRocksDb(database.Get(rocksdb::ReadOptions(), key, &value), "reading the store"));
  return value;
}

absl::StatusOr<engine::KnownRequest> DecodeKnown(absl::StatusOr<std::string> bytes) {
  if (absl::IsNotFound(bytes.status())) return absl::NotFoundError("the request is not known");
  if (!bytes.ok()) return bytes.status();
  ASSIGN_OR_RETURN(StoredRequest request, DecodeRequest(*bytes));
  return std::move(request.known);
}

absl::StatusOr<std::shared_ptr<const engine::Segment>> ParseSegment(const RocksDbRange& range) {
  return engine::Segment::Parse(keys::NumberOf(range.key()).value_or(0),
                                std::string(range.value()));
}

}  // namespace

RocksDbReader::RocksDbReader(rocksdb::DB* database, const LogCache* cache)
    : database_(*database), cache_(*cache), folds_(kFoldJobsMax) {}

absl::StatusOr<std::shared_ptr<const std::string>> RocksDbReader::LoadShard(
    const std::string& batch_id, int32_t first_index) const {
  // What is staged only is not there for anybody.
  RETURN_IF_ERROR(EndOf(batch_id).status());
  auto bytes = Get(database_, keys::Shard(batch_id, first_index));
  if (absl::IsNotFound(bytes.status())) return absl::NotFoundError("no such shard is stored");
  if (!bytes.ok()) return bytes.status();
  return std::make_shared<const std::string>(*std::move(bytes));
}

absl::StatusOr<engine::LogPage> RocksDbReader::ReadLog(const std::string& batch_id,
                                                       int64_t after_sequence,
                                                       int64_t bytes_max) const {
  // An event may be stored between reading where the log ends and reading the log. What is known of
  // the end afterwards is at least what was read; so a page without events is read once more if the
  // log has grown meanwhile.
  for (int attempt = 0; attempt < 2; ++attempt) {
    ASSIGN_OR_RETURN(engine::LogPage page, ReadSegments(batch_id, after_sequence, bytes_max));
    ASSIGN_OR_RETURN(const LogCache::End end, EndOf(batch_id));
    const int64_t last =
        page.segments.empty() ? after_sequence : page.segments.back()->last_sequence();
    page.finished = end.finished && last >= end.last_sequence;
    if (!page.segments.empty() || last >= end.last_sequence) return page;
  }
  return Gap(batch_id, absl::StrCat("the events after ", after_sequence));
}

absl::StatusOr<engine::LogPage> RocksDbReader::ReadSegments(const std::string& batch_id,
                                                            int64_t after_sequence,
                                                            int64_t bytes_max) const {
  engine::LogPage page;
  int64_t next_sequence = after_sequence + 1;
  int64_t bytes = 0;
  RocksDbRange range(&database_, keys::Segments(batch_id));
  // The segment that has the next event begins at or before it.
  range.ToLastUpTo(keys::Segment(batch_id, next_sequence));
  for (; range.valid() && (bytes < bytes_max || page.segments.empty()); range.Next()) {
    ASSIGN_OR_RETURN(auto segment, ParseSegment(range));
    // Only the first one may end before: then there is nothing new.
    if (segment->last_sequence() < next_sequence) continue;
    const bool follows = page.segments.empty() ? segment->first_sequence() <= next_sequence
                                               : segment->first_sequence() == next_sequence;
    if (!follows) return Gap(batch_id, absl::StrCat("event ", next_sequence));
    bytes += static_cast<int64_t>(segment->bytes().size());
    next_sequence = segment->last_sequence() + 1;
    page.segments.push_back(std::move(segment));
  }
  RETURN_IF_ERROR(range.status());
  return page;
}

absl::StatusOr<LogCache::End> RocksDbReader::EndOf(const std::string& batch_id) const {
  if (const auto end = cache_.Find(batch_id)) return *end;
  ASSIGN_OR_RETURN(const Summary summary, ReadSummary(batch_id));
  return LogCache::End{summary.batch.last_sequence(), true};
}

absl::StatusOr<Summary> RocksDbReader::ReadSummary(std::string_view batch_id) const {
  const auto bytes = Get(database_, keys::Summary(batch_id));
  if (absl::IsNotFound(bytes.status())) return NoBatch();
  if (!bytes.ok()) return bytes.status();
  return DecodeSummary(*bytes);
}

absl::StatusOr<std::shared_ptr<const engine::Batch>> RocksDbReader::FindBatch(
    const std::string& batch_id) const {
  // It may have been removed since it was folded, or have no end yet.
  RETURN_IF_ERROR(ReadSummary(batch_id).status());
  if (auto known = folds_.Find(batch_id)) return known;
  ASSIGN_OR_RETURN(Folded folded, Fold(batch_id));
  if (!folded.batch->finished()) return Gap(batch_id, "its end");
  std::shared_ptr<const engine::Batch> batch = std::move(folded.batch);
  folds_.Keep(batch);
  return batch;
}

absl::StatusOr<RocksDbReader::Folded> RocksDbReader::Fold(const std::string& batch_id) const {
  const auto header = Get(database_, keys::Header(batch_id));
  if (absl::IsNotFound(header.status())) return NoBatch();
  if (!header.ok()) return header.status();
  ASSIGN_OR_RETURN(const engine::Accepted accepted, DecodeAccepted(*header));
  Folded folded{std::make_unique<engine::Batch>(accepted)};
  RocksDbRange range(&database_, keys::Records(batch_id));
  for (range.ToFirst(); range.valid(); range.Next()) {
    if (keys::NumberOf(range.key()) != ++folded.last_record) {
      return Gap(batch_id, absl::StrCat("record ", folded.last_record));
    }
    ASSIGN_OR_RETURN(const StoredRecord record, DecodeRecord(range.value()));
    RETURN_IF_ERROR(storage::Fold(record, folded.batch.get()));
  }
  RETURN_IF_ERROR(range.status());
  return folded;
}

absl::StatusOr<engine::BatchPage> RocksDbReader::ListFinished(const engine::BatchFilter& filter,
                                                              const std::string& before_id,
                                                              int32_t page_size) const {
  engine::BatchPage page;
  std::string last_id;
  int32_t looks = 0;
  FinishedScan scan(&database_, filter, before_id);
  for (; scan.valid(); scan.Next()) {
    if (static_cast<int32_t>(page.batches.size()) >= page_size || ++looks > kListLooksMax) {
      page.next_before_id = last_id;
      break;
    }
    last_id = scan.id();
    auto summary = ReadSummary(last_id);
    // It was removed since the scan began.
    if (absl::IsNotFound(summary.status())) continue;
    if (!summary.ok()) return summary.status();
    if (Matches(summary->batch, filter)) page.batches.push_back(std::move(summary->batch));
  }
  RETURN_IF_ERROR(scan.status());
  return page;
}

absl::StatusOr<engine::KnownRequest> RocksDbReader::FindRequest(std::string_view request_id) const {
  return DecodeKnown(Get(database_, keys::Request(request_id)));
}

std::optional<absl::StatusOr<engine::KnownRequest>> RocksDbReader::FindRequestInMemory(
    std::string_view request_id) const {
  rocksdb::ReadOptions options;
  options.read_tier = rocksdb::kBlockCacheTier;
  std::string bytes;
  const rocksdb::Status status = database_.Get(options, keys::Request(request_id), &bytes);
  if (status.IsIncomplete()) return std::nullopt;
  if (!status.ok()) return DecodeKnown(FromRocksDb(status, "reading the store"));
  return DecodeKnown(std::move(bytes));
}

absl::StatusOr<engine::Expired> RocksDbReader::FindExpired(base::WallTime now, int32_t max) const {
  const auto collect = [&](keys::Range keys, std::vector<std::string>* ids) {
    RocksDbRange range(&database_, std::move(keys));
    for (range.ToFirst(); range.valid() && std::ssize(*ids) < max; range.Next()) {
      ids->emplace_back(keys::ExpiredId(range.key()));
    }
    return range.status();
  };
  engine::Expired expired;
  RETURN_IF_ERROR(collect(keys::BatchesExpired(now), &expired.batch_ids));
  RETURN_IF_ERROR(collect(keys::RequestsExpired(now), &expired.request_ids));
  return expired;
}

absl::StatusOr<std::vector<std::string>> RocksDbReader::UnfinishedIds() const {
  return IdsAfter(keys::AllUnfinished());
}

absl::StatusOr<std::vector<std::string>> RocksDbReader::StagedIds() const {
  return IdsAfter(keys::AllStaged());
}

absl::StatusOr<std::vector<std::string>> RocksDbReader::IdsAfter(const std::string& prefix) const {
  std::vector<std::string> ids;
  RocksDbRange range(&database_, keys::OfPrefix(prefix));
  for (range.ToFirst(); range.valid(); range.Next()) {
    ids.emplace_back(range.key().substr(prefix.size()));
  }
  RETURN_IF_ERROR(range.status());
  return ids;
}

}  // namespace jobrunner::storage
