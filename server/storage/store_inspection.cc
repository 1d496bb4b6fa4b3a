#include "storage/store_inspection.h"

#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "storage/rocksdb_open.h"

namespace jobrunner::storage {
namespace {

constexpr int32_t kPageSize = 1'000;
constexpr int64_t kPageBytes = 4 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<StoreInspection>> StoreInspection::Open(std::string directory) {
  ASSIGN_OR_RETURN(auto held, StoreDirectory::TakeToRead(std::move(directory)));
  ASSIGN_OR_RETURN(auto database, OpenToRead(*held));
  return std::unique_ptr<StoreInspection>(
      new StoreInspection(std::move(held), std::move(database)));
}

StoreInspection::StoreInspection(std::unique_ptr<StoreDirectory> directory,
                                 std::unique_ptr<rocksdb::DB> database)
    : directory_(std::move(directory)),
      database_(std::move(database)),
      cache_(0),
      reader_(database_.get(), &cache_) {}

absl::Status StoreInspection::ListBatches(
    const std::function<void(const jobrunner::v1::Batch&)>& show) const {
  // From the oldest to the newest, so that the newest is at the end.
  ASSIGN_OR_RETURN(std::vector<std::string> unfinished, reader_.UnfinishedIds());
  const auto show_unfinished_after = [&](const std::string& id) -> absl::Status {
    while (!unfinished.empty() && unfinished.back() > id) {
      ASSIGN_OR_RETURN(const RocksDbReader::Folded folded, reader_.Fold(unfinished.back()));
      show(folded.batch->Describe());
      unfinished.pop_back();
    }
    return absl::OkStatus();
  };
  std::string before_id;
  do {
    ASSIGN_OR_RETURN(engine::BatchPage page, reader_.ListFinished({}, before_id, kPageSize));
    for (const jobrunner::v1::Batch& batch : page.batches) {
      RETURN_IF_ERROR(show_unfinished_after(batch.id()));
      show(batch);
    }
    before_id = std::move(page.next_before_id);
  } while (!before_id.empty());
  return show_unfinished_after("");
}

absl::Status StoreInspection::ReadLog(
    const std::string& batch_id, const std::function<void(const jobrunner::v1::Event&)>& show) {
  ASSIGN_OR_RETURN(const RocksDbReader::Folded folded, reader_.Fold(batch_id));
  if (!folded.batch->finished()) cache_.Resume(batch_id, folded.batch->last_sequence());
  int64_t last = 0;
  while (last < folded.batch->last_sequence()) {
    ASSIGN_OR_RETURN(const engine::LogPage page, reader_.ReadLog(batch_id, last, kPageBytes));
    for (const auto& segment : page.segments) {
      for (; last < segment->last_sequence(); ++last) show(segment->EventAt(last + 1));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<StoreTotals> StoreInspection::Check(
    const std::function<void(const std::string&)>& fault) const {
  return CheckStore(database_.get(), fault);
}

}  // namespace jobrunner::storage
