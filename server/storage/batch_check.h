// Whether what is stored of one batch fits together.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/batch.h"

namespace jobrunner::storage {

// Takes the parts of a batch in the order of their keys: the header, shards, records, segments.
// Each has to follow from those before it: the shards are those of the header and have its jobs,
// the records fold, the segments are those of which the records tell. The first error ends it;
// errors are DATA_LOSS. Not thread-safe.
class BatchCheck {
 public:
  // `batch_id` is that of the keys.
  static absl::StatusOr<BatchCheck> Begin(std::string_view batch_id, std::string_view header);

  absl::Status AddShard(int64_t first_index, std::string_view bytes);
  absl::Status AddRecord(int64_t number, std::string_view bytes);
  absl::Status AddSegment(int64_t first_sequence, std::string_view bytes);
  // That nothing is missing.
  absl::Status End() const;

  // The fold of the records so far.
  const engine::Batch& batch() const { return *batch_; }
  int64_t records() const { return records_; }

 private:
  explicit BatchCheck(std::unique_ptr<engine::Batch> batch) : batch_(std::move(batch)) {}

  std::unique_ptr<engine::Batch> batch_;
  size_t shards_ = 0;
  int64_t records_ = 0;
  // The first and last sequence of the segments that the records tell of.
  std::vector<std::pair<int64_t, int64_t>> segments_;
  size_t segments_found_ = 0;
};

}  // namespace jobrunner::storage
