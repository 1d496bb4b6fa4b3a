// What the store knows of jobs.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "engine/store.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::rpc {

// Looks jobs of one batch up. Every method blocks until the store has answered, so it is for the
// look-ups' thread alone. Keeps the shard it loaded last. Not thread-safe.
class StoredJobs {
 public:
  // `store` outlives it.
  StoredJobs(engine::Store* store, std::string batch_id)
      : store_(store), batch_id_(std::move(batch_id)) {}

  // The job that was submitted; of an array the element. NOT_FOUND, DATA_LOSS.
  absl::StatusOr<v1::Job> JobAt(int32_t index, int32_t shard_first_index);
  absl::StatusOr<std::string> KeyOf(int32_t index, int32_t shard_first_index);

  // The index of the job with this key; -1 if there is none. Looks through all shards.
  absl::StatusOr<int32_t> Find(std::string_view key,
                               const std::vector<int32_t>& shard_first_indexes);

  // The JobResult with this sequence.
  absl::StatusOr<v1::JobResult> ResultAt(int64_t sequence);

 private:
  struct Stored {
    // The job, or the slice of an array, serialized: a view into shard_.
    std::string_view bytes;
    // Which element of its array it is; -1 unless it is of one.
    int32_t element = -1;
  };

  absl::Status Load(int32_t shard_first_index);
  static std::string KeyOf(const Stored& job);

  engine::Store* const store_;
  const std::string batch_id_;
  int32_t loaded_first_index_ = -1;
  std::shared_ptr<const std::string> shard_;
  std::vector<Stored> jobs_;
};

}  // namespace jobrunner::rpc
