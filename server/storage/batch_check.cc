#include "storage/batch_check.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "engine/segment.h"
#include "engine/shard_jobs.h"
#include "storage/batch_fold.h"
#include "storage/record_codec.h"

namespace jobrunner::storage {
namespace {

template <typename... Parts>
absl::Status Wrong(const Parts&... parts) {
  return absl::DataLossError(absl::StrCat(parts...));
}

}  // namespace

absl::StatusOr<BatchCheck> BatchCheck::Begin(std::string_view batch_id, std::string_view header) {
  ASSIGN_OR_RETURN(const engine::Accepted accepted, DecodeAccepted(header));
  if (accepted.header->id != batch_id) {
    return Wrong("its header is that of batch ", accepted.header->id);
  }
  return BatchCheck(std::make_unique<engine::Batch>(accepted));
}

absl::Status BatchCheck::AddShard(int64_t first_index, std::string_view bytes) {
  const auto& shards = batch_->shards();
  if (shards_ == shards.size() || shards[shards_].first_index != first_index) {
    return Wrong("the shard that begins with job ", first_index, " is not in its header");
  }
  const engine::Shard& shard = shards[shards_++];
  ASSIGN_OR_RETURN(const auto jobs,
                   engine::ShardJobs::Parse(batch_->id(), shard.first_index, bytes));
  if (jobs->size() == shard.count) return absl::OkStatus();
  return Wrong("the shard that begins with job ", first_index, " has ", jobs->size(), " jobs, not ",
               shard.count);
}

absl::Status BatchCheck::AddRecord(int64_t number, std::string_view bytes) {
  if (number != ++records_) return Wrong("record ", records_, " is missing");
  ASSIGN_OR_RETURN(const StoredRecord record, DecodeRecord(bytes));
  RETURN_IF_ERROR(Fold(record, batch_.get()));
  if (record.event_count > 0) {
    segments_.emplace_back(record.first_sequence, record.first_sequence + record.event_count - 1);
  }
  return absl::OkStatus();
}

absl::Status BatchCheck::AddSegment(int64_t first_sequence, std::string_view bytes) {
  if (segments_found_ == segments_.size()) {
    return Wrong("no record tells of the events from ", first_sequence, " on");
  }
  const auto& [first, last] = segments_[segments_found_++];
  if (first != first_sequence) return Wrong("event ", first, " is missing");
  ASSIGN_OR_RETURN(const auto segment, engine::Segment::Parse(first, std::string(bytes)));
  if (segment->last_sequence() == last) return absl::OkStatus();
  return Wrong("the events from ", first, " on end with ", segment->last_sequence(), ", not ",
               last);
}

absl::Status BatchCheck::End() const {
  const auto& shards = batch_->shards();
  if (shards_ < shards.size()) {
    return Wrong("the shard that begins with job ", shards[shards_].first_index, " is missing");
  }
  if (segments_found_ < segments_.size()) {
    return Wrong("event ", segments_[segments_found_].first, " is missing");
  }
  return absl::OkStatus();
}

}  // namespace jobrunner::storage
