// The jobs of one shard, parsed.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "google/protobuf/arena.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {

// A slice of a batch's jobs, loaded to be run. Immutable and safe to share between threads; engine
// and executors hold it by shared_ptr, and its memory goes when the last attempt has ended.
class ShardJobs {
 public:
  // `bytes` is a serialized BatchSpec that has jobs alone; of arrays the slices that lie in this
  // shard, which are expanded. DATA_LOSS if it does not parse.
  static absl::StatusOr<std::shared_ptr<const ShardJobs>> Parse(std::string batch_id,
                                                                int32_t first_index,
                                                                std::string_view bytes);

  // A shard of one job, which `fill` describes: it is no array.
  static std::shared_ptr<const ShardJobs> OfOne(std::string batch_id, int32_t index,
                                                absl::FunctionRef<void(v1::Job* job)> fill);

  ShardJobs(const ShardJobs&) = delete;
  ShardJobs& operator=(const ShardJobs&) = delete;

  const std::string& batch_id() const { return batch_id_; }
  int32_t first_index() const { return first_index_; }
  int32_t size() const { return spec_->jobs_size(); }

  // `index` counts in the batch and lies in this shard.
  const v1::Job& job(int32_t index) const { return spec_->jobs(index - first_index_); }

 private:
  ShardJobs(std::string batch_id, int32_t first_index);
  void ExpandArrays();

  const std::string batch_id_;
  const int32_t first_index_;
  google::protobuf::Arena arena_;
  v1::BatchSpec* spec_;
};

}  // namespace jobrunner::engine
