#include "storage/store_check.h"

#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/batch_check.h"
#include "storage/keys.h"
#include "storage/record_codec.h"
#include "storage/rocksdb_range.h"
#include "storage/rocksdb_status.h"
#include "storage/summary_index.h"

namespace jobrunner::storage {
namespace {

class StoreCheck {
 public:
  StoreCheck(rocksdb::DB* database, const std::function<void(const std::string&)>& fault)
      : database_(*database), fault_(fault) {}

  absl::StatusOr<StoreTotals> Run() {
    const absl::Status tables =
        FromRocksDb(database_.VerifyChecksum(rocksdb::ReadOptions()), "reading all tables");
    if (!tables.ok()) Fault(std::string(tables.message()));
    RETURN_IF_ERROR(CheckBatches());
    RETURN_IF_ERROR(CheckRequests());
    RETURN_IF_ERROR(CheckNothingElse());
    return totals_;
  }

 private:
  void Fault(const std::string& what) {
    ++totals_.faults;
    fault_(what);
  }

  // What is wrong with one batch is told, and the next one looked at.
  void FaultOf(std::string_view batch_id, absl::string_view what) {
    Fault(absl::StrCat("batch ", std::string(batch_id), ": ", what));
  }

  absl::StatusOr<std::optional<std::string>> Get(const std::string& key) {
    std::string value;
    const rocksdb::Status status = database_.Get(rocksdb::ReadOptions(), key, &value);
    if (status.IsNotFound()) return std::nullopt;
    RETURN_IF_ERROR(FromRocksDb(status, "reading the store"));
    return value;
  }

  absl::StatusOr<bool> Has(const std::string& key) {
    ASSIGN_OR_RETURN(const auto value, Get(key));
    return value.has_value();
  }

  absl::Status CheckBatches();
  absl::Status BeginBatch(const keys::BatchPart& part);
  absl::Status AddPart(const keys::BatchPart& part, std::string_view value);
  absl::Status EndBatch();
  absl::Status CheckEnd(const engine::Batch& batch);
  absl::Status CheckIndexes(const engine::Batch& batch, const Summary& summary);
  absl::Status CheckRequestOf(const engine::Batch& batch);
  absl::Status CheckRequests();
  absl::Status CheckRequest(const std::string& request_id, std::string_view value);
  absl::Status CheckNothingElse();

  rocksdb::DB& database_;
  const std::function<void(const std::string&)>& fault_;
  StoreTotals totals_;
  // Index keys that have to be there, and were found.
  int64_t index_keys_ = 0;
  int64_t summaries_ = 0;
  int64_t request_expiries_ = 0;

  // The batch whose parts are being read; nothing once a fault of it was told.
  std::string batch_id_;
  std::optional<BatchCheck> batch_;
};

absl::Status StoreCheck::CheckBatches() {
  RocksDbRange range(&database_, keys::OfPrefix(keys::AllBatches()));
  for (range.ToFirst(); range.valid(); range.Next()) {
    const auto part = keys::ParseBatchPart(range.key());
    if (!part) {
      Fault("there is a key of a batch that no program has written");
      continue;
    }
    if (part->batch_id != batch_id_ || totals_.batches + totals_.batches_staged == 0) {
      RETURN_IF_ERROR(EndBatch());
      RETURN_IF_ERROR(BeginBatch(*part));
    }
    const absl::Status added = AddPart(*part, range.value());
    if (added.ok()) continue;
    FaultOf(batch_id_, added.message());
    batch_.reset();
  }
  RETURN_IF_ERROR(EndBatch());
  return range.status();
}

// Shards without a header are staged, or have lost it.
absl::Status StoreCheck::BeginBatch(const keys::BatchPart& part) {
  batch_id_ = part.batch_id;
  ASSIGN_OR_RETURN(const bool staged, Has(keys::Staged(batch_id_)));
  ++(staged ? totals_.batches_staged : totals_.batches);
  if (!staged && part.kind != 'h') FaultOf(batch_id_, "its header is missing");
  if (staged && part.kind != 'j') FaultOf(batch_id_, "it is staged, and has more than shards");
  return absl::OkStatus();
}

absl::Status StoreCheck::AddPart(const keys::BatchPart& part, std::string_view value) {
  if (part.kind == 'h') {
    ASSIGN_OR_RETURN(batch_, BatchCheck::Begin(part.batch_id, value));
    return absl::OkStatus();
  }
  // One fault a batch.
  if (!batch_) return absl::OkStatus();
  switch (part.kind) {
    case 'j':
      return batch_->AddShard(part.number, value);
    case 'r':
      return batch_->AddRecord(part.number, value);
    case 's':
      return batch_->AddSegment(part.number, value);
    default:
      return absl::DataLossError("it has a part that no program has written");
  }
}

absl::Status StoreCheck::EndBatch() {
  if (!batch_) return absl::OkStatus();
  const BatchCheck ended = *std::exchange(batch_, std::nullopt);
  if (const absl::Status status = ended.End(); !status.ok()) FaultOf(batch_id_, status.message());
  totals_.jobs += ended.batch().job_count();
  totals_.records += ended.records();
  totals_.events += ended.batch().last_sequence();
  RETURN_IF_ERROR(CheckEnd(ended.batch()));
  return CheckRequestOf(ended.batch());
}

// A batch is either unfinished, or has a summary that says what its fold says.
absl::Status StoreCheck::CheckEnd(const engine::Batch& batch) {
  ASSIGN_OR_RETURN(const bool unfinished, Has(keys::Unfinished(batch.id())));
  ASSIGN_OR_RETURN(const auto bytes, Get(keys::Summary(batch.id())));
  if (unfinished) ++totals_.batches_unfinished;
  if (bytes) ++summaries_;
  if (unfinished == batch.finished()) {
    FaultOf(batch.id(), unfinished ? "it has finished, and is listed as one that has not"
                                   : "it has not finished, and no start would find it");
  }
  if (bytes.has_value() != batch.finished()) {
    FaultOf(batch.id(),
            bytes ? "it has not finished, and has a summary" : "its summary is missing");
  }
  if (!bytes) return absl::OkStatus();
  const auto summary = DecodeSummary(*bytes);
  if (!summary.ok()) {
    FaultOf(batch.id(), summary.status().message());
    return absl::OkStatus();
  }
  return CheckIndexes(batch, *summary);
}

absl::Status StoreCheck::CheckIndexes(const engine::Batch& batch, const Summary& summary) {
  const jobrunner::v1::Batch folded = batch.Describe();
  const auto& said = summary.batch;
  const auto counts = [](const jobrunner::v1::Batch& of) {
    return std::tuple(of.counts().succeeded(), of.counts().failed(), of.counts().cancelled());
  };
  if (said.id() != folded.id() || said.state() != folded.state() ||
      said.last_sequence() != folded.last_sequence() || counts(said) != counts(folded)) {
    FaultOf(batch.id(), "its summary does not say what its records say");
  }
  for (const std::string& key : SummaryIndexKeys(summary)) {
    ASSIGN_OR_RETURN(const bool found, Has(key));
    found ? ++index_keys_ : (FaultOf(batch.id(), "an index lacks it"), 0);
  }
  return absl::OkStatus();
}

absl::Status StoreCheck::CheckRequestOf(const engine::Batch& batch) {
  const std::string& request_id = batch.header().request_id;
  if (request_id.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto bytes, Get(keys::Request(request_id)));
  const auto request = bytes ? DecodeRequest(*bytes)
                             : absl::StatusOr<StoredRequest>(absl::DataLossError("is missing"));
  if (!request.ok() || request->known.batch_id != batch.id()) {
    FaultOf(batch.id(), absl::StrCat("its request_id ", request_id, " does not lead to it"));
  }
  return absl::OkStatus();
}

absl::Status StoreCheck::CheckRequests() {
  const std::string prefix = keys::AllRequests();
  RocksDbRange range(&database_, keys::OfPrefix(prefix));
  for (range.ToFirst(); range.valid(); range.Next()) {
    ++totals_.requests;
    RETURN_IF_ERROR(CheckRequest(std::string(range.key().substr(prefix.size())), range.value()));
  }
  return range.status();
}

absl::Status StoreCheck::CheckRequest(const std::string& request_id, std::string_view value) {
  const auto wrong = [&](absl::string_view what) {
    Fault(absl::StrCat("request ", request_id, ": ", what));
    return absl::OkStatus();
  };
  const auto request = DecodeRequest(value);
  if (!request.ok()) return wrong(request.status().message());
  ASSIGN_OR_RETURN(const bool has_batch, Has(keys::Header(request->known.batch_id)));
  if (!request->keep_until) return has_batch ? absl::OkStatus() : wrong("its batch is missing");
  ++request_expiries_;
  ASSIGN_OR_RETURN(const bool expires, Has(keys::RequestExpiry(*request->keep_until, request_id)));
  if (!expires) return wrong("it would be remembered for ever");
  return has_batch ? wrong("its batch was removed, and is there") : absl::OkStatus();
}

// All keys that must be there were found; if there are as many, there are no others.
absl::Status StoreCheck::CheckNothingElse() {
  int64_t index_keys = 0;
  int64_t summaries = 0;
  int64_t unfinished = 0;
  int64_t staged = 0;
  int64_t request_expiries = 0;
  int64_t others = 0;
  RocksDbRange range(&database_, keys::All());
  for (range.ToFirst(); range.valid();) {
    const char kind = range.key().empty() ? '\0' : range.key().front();
    // Gone through already.
    if (kind == 'b' || kind == 'k') {
      range.ToFirstFrom(keys::OfPrefix(std::string(1, kind)).end);
      continue;
    }
    switch (kind) {
      case 't':
      case 'q':
      case 'l':
      case 'e':
        ++index_keys;
        break;
      case 'f':
        ++summaries;
        break;
      case 'u':
        ++unfinished;
        break;
      case 'p':
        ++staged;
        break;
      case 'g':
        ++request_expiries;
        break;
      default:
        others += range.key() != keys::Store();
    }
    range.Next();
  }
  const bool more = index_keys > index_keys_ || summaries > summaries_ ||
                    unfinished > totals_.batches_unfinished || staged > totals_.batches_staged ||
                    request_expiries > request_expiries_;
  // Where a batch could not be read, its keys in the indexes were not counted.
  if (more && totals_.faults == 0) Fault("an index has what is not there");
  if (others > 0) Fault(absl::StrCat(others, " keys are of a kind that no program has written"));
  return range.status();
}

}  // namespace

absl::StatusOr<StoreTotals> CheckStore(rocksdb::DB* database,
                                       const std::function<void(const std::string&)>& fault) {
  return StoreCheck(database, fault).Run();
}

}  // namespace jobrunner::storage
