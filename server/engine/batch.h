// What became of a batch: the fold of its records.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/clock.h"
#include "engine/batch_header.h"
#include "engine/record.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {

// How one job stands.
struct JobFold {
  v1::JobState state = v1::JOB_STATE_QUEUED;
  // Started so far, those put back not counted.
  int32_t attempts = 0;
  int32_t lost_attempts = 0;
  // It was started at least once, if only to be put back.
  bool started = false;
  // Of its JobResult; 0 while it has none.
  int64_t result_sequence = 0;
};

// A batch's state: made by Accepted, changed by Apply alone, live, in recovery and in the tests'
// checker alike. Eight bytes a job that has been touched, none for the shards of others. Not
// thread-safe.
class Batch {
 public:
  explicit Batch(const Accepted& accepted);

  // The records of a batch, in their order. The first one made it.
  void Apply(const Record& record);
  // The parts of a Changed record, one by one: what Apply does with it.
  void Apply(const JobChange& change, base::WallTime time);
  void ApplyEvents(const Segment& segment);
  void ApplyEvents(int64_t first_sequence, int64_t last_sequence);
  void ApplyFinish(const Finish& finish);
  void Apply(const CancelRequested& cancel);

  // Whether the batch is as a record must find it that was read back: applying another one is a
  // bug, and aborts.
  bool Allows(const JobChange& change) const;
  bool AllowsEvents(int64_t first_sequence, int64_t last_sequence) const;
  bool AllowsFinish() const;

  const BatchHeader& header() const { return *header_; }
  const BatchHeaderPtr& header_ptr() const { return header_; }
  const std::string& id() const { return header_->id; }
  int32_t job_count() const { return header_->job_count; }
  const std::vector<Shard>& shards() const { return shards_; }
  // The position in shards() of the shard that has the job.
  size_t ShardOf(int32_t index) const;
  // Whether any job of the shard has ever changed.
  bool touched(size_t shard) const { return jobs_[shard] != nullptr; }
  // The store has the jobs: their bytes go from shards().
  void DropBytes();

  JobFold Job(int32_t index) const;
  // As Job, but a job whose cancel was requested and that does not run reads as CANCELLED.
  v1::JobState StateSeen(int32_t index) const;
  // When the wait of a RETRYING job ends, and since when it waits.
  struct Waiting {
    base::WallTime since;
    base::WallTime until;
  };
  std::optional<Waiting> WaitingOf(int32_t index) const;
  // Of a job that runs at a remote worker: its token's, and when it was started.
  struct Remote {
    uint32_t epoch = 0;
    uint64_t number = 0;
    base::WallTime start_time;
  };
  std::optional<Remote> RemoteOf(int32_t index) const;

  v1::BatchState state() const { return state_; }
  bool finished() const { return state_ != v1::BATCH_STATE_RUNNING; }
  int64_t count(v1::JobState state) const { return counts_[state]; }
  // Jobs without a result.
  int64_t unfinished() const;
  int64_t unfinished_in_shard(size_t shard) const { return unfinished_in_shard_[shard]; }
  // Jobs that failed, or that their own deadline ended.
  int64_t failed_for_good() const { return failed_for_good_; }
  int64_t last_sequence() const { return last_sequence_; }
  base::WallTime finish_time() const { return finish_time_; }
  // The latest that its records name: what has passed by then has passed, wherever the wall clock
  // is set to afterwards.
  base::WallTime last_time() const { return last_time_; }

  // Why the whole batch was cancelled, if it was.
  const std::optional<v1::Error>& cancelled_by() const { return cancelled_by_; }
  // Why the job is to end, if its cancel was requested.
  const v1::Error* CancelOf(int32_t index) const;
  // The jobs that were told to end one by one, and have not ended.
  const absl::flat_hash_map<int32_t, v1::Error>& cancelled_jobs() const { return cancelled_jobs_; }

  // What the batch ends as, once every job has ended.
  v1::BatchState FinalState() const;

  // As clients see it.
  v1::Batch Describe() const;

 private:
  // Jobs that are QUEUED and RETRYING, and whose cancel was requested.
  std::pair<int64_t, int64_t> CancelledWaiting() const;

  struct Packed {
    uint8_t state : 7 = v1::JOB_STATE_QUEUED;
    uint8_t started : 1 = 0;
    uint8_t lost_attempts = 0;
    uint16_t attempts = 0;
    uint32_t result_sequence = 0;
  };
  static_assert(sizeof(Packed) == 8);

  Packed& Touch(int32_t index);
  const Packed* Peek(int32_t index) const;
  void Move(Packed& job, v1::JobState to);
  void End(Packed& job, size_t shard, v1::JobState to, const JobChange& change);

  BatchHeaderPtr header_;
  std::vector<Shard> shards_;
  // By shard; null while no job of it was touched.
  std::vector<std::unique_ptr<Packed[]>> jobs_;
  std::vector<int32_t> unfinished_in_shard_;
  std::array<int64_t, v1::JobState_ARRAYSIZE> counts_{};
  absl::flat_hash_map<int32_t, Waiting> waiting_;
  absl::flat_hash_map<int32_t, Remote> remote_;
  absl::flat_hash_map<int32_t, v1::Error> cancelled_jobs_;
  std::optional<v1::Error> cancelled_by_;
  int64_t failed_for_good_ = 0;
  int64_t last_sequence_ = 0;
  v1::BatchState state_ = v1::BATCH_STATE_RUNNING;
  base::WallTime finish_time_{};
  base::WallTime last_time_{};
};

}  // namespace jobrunner::engine
