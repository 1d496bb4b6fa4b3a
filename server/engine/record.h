// What the store keeps of a batch. A batch's state is a fold over its records (Batch::Apply), live
// and in recovery.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "engine/batch_header.h"
#include "engine/segment.h"
#include "engine/shard.h"
#include "jobrunner/v1/event.pb.h"

namespace jobrunner::engine {

// The first record of a batch.
struct Accepted {
  BatchHeaderPtr header;
  // Those without bytes were staged before (StageShard, in store.h).
  std::vector<Shard> shards;
};

// The transitions of a job.
enum class JobTransition : uint8_t {
  kStart,        // QUEUED → RUNNING, one attempt more
  kSucceed,      // RUNNING → SUCCEEDED
  kFailForGood,  // RUNNING → FAILED
  kCancel,       // QUEUED, RUNNING, RETRYING → CANCELLED
  kRetryAt,      // RUNNING → RETRYING, until not_before
  kRequeue,      // RETRYING → QUEUED
  kPutBack,      // RUNNING → QUEUED, the attempt counts for nothing
};

struct JobChange {
  int32_t index = 0;
  JobTransition transition = JobTransition::kStart;
  // The attempt was lost: it does not count against max_attempts.
  bool lost = false;
  // It ended by its own deadline, which counts as failed for good. For kCancel.
  bool own_deadline = false;
  // For the terminal ones: the sequence of the JobResult.
  int64_t result_sequence = 0;
  // For kRetryAt.
  base::WallTime not_before{};
  // For kStart at a remote worker: its token's, else 0.
  uint32_t remote_epoch = 0;
  uint64_t remote_number = 0;
};

struct Finish {
  v1::BatchState state = v1::BATCH_STATE_UNSPECIFIED;
  base::WallTime time;
  // From then on it need not be kept.
  base::WallTime expire_time;
};

// Jobs changed, events happened, perhaps the last of them. Changes and events stand in one record,
// so that neither is ever there without the other.
struct Changed {
  base::WallTime time;
  std::vector<JobChange> changes;
  // Null when nothing happened that a reader sees.
  std::shared_ptr<const Segment> segment;
  std::optional<Finish> finish;
};

// From here on the jobs read as CANCELLED; their results follow.
struct CancelRequested {
  base::WallTime time;
  // Empty: the whole batch.
  std::vector<int32_t> indexes;
  v1::Error error;
};

using Record = std::variant<Accepted, Changed, CancelRequested>;

}  // namespace jobrunner::engine
