// The attempts that run.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "engine/attempt.h"
#include "engine/deadlines.h"
#include "engine/streamed_output.h"
#include "jobrunner/v1/event.pb.h"

namespace jobrunner::engine {

struct ActiveBatch;

// Why an attempt was asked to stop.
struct StopCause {
  v1::Error error;
  // The job goes back into its queue and the attempt counts for nothing (a drain).
  bool put_back = false;
  // Its job's own deadline.
  bool own_deadline = false;

  // Otherwise the attempt alone ends: by its timeout, so that the job may be retried, or put back.
  bool ends_job() const { return !put_back && error.reason() != v1::REASON_ATTEMPT_TIMEOUT; }
};

struct RunningAttempt {
  // Of its token; 0: this slot is free.
  uint64_t number = 0;
  ActiveBatch* batch = nullptr;
  int32_t index = 0;
  uint32_t shard = 0;
  // Counted without those that were put back.
  int32_t attempt = 0;
  // Its place in its batch's list of running slots.
  uint32_t place_in_batch = 0;
  // Where it runs, and its place in that remote worker's list.
  WorkerId at = kOwnPool;
  uint32_t place_at_worker = 0;
  // Of the checks of that worker the last one that was due before it was told of the attempt.
  int64_t check_before = 0;
  StreamedOutput streamed;
  base::SteadyTime start_time{};
  Deadlines::Timer timer;
  // What the timer's firing means.
  v1::Reason timer_reason = v1::REASON_UNSPECIFIED;
  // Its start is being stored, and no executor knows of it.
  bool held = false;
  // Set once it was asked to stop.
  std::optional<StopCause> stop;
  // When it will be forced. At a remote worker: when it is waited for no longer.
  base::SteadyTime force_time = base::SteadyTime::max();
  Deadlines::Timer force_timer;
};

// Slots that are found by their token in one step. Not thread-safe.
class RunningAttempts {
 public:
  explicit RunningAttempts(uint32_t epoch) : epoch_(epoch) {}

  // A free slot with a token that was never given before. The reference holds until the next Add.
  RunningAttempt& Add(AttemptToken* token);
  // Null if no running attempt has this token.
  RunningAttempt* Find(const AttemptToken& token);
  RunningAttempt& at(uint32_t slot) { return slots_[slot]; }
  const RunningAttempt& at(uint32_t slot) const { return slots_[slot]; }
  void Remove(uint32_t slot);

  AttemptToken TokenOf(uint32_t slot) const { return {epoch_, slot, slots_[slot].number}; }
  uint32_t SlotOf(const RunningAttempt& attempt) const {
    return static_cast<uint32_t>(&attempt - slots_.data());
  }
  int32_t size() const { return static_cast<int32_t>(slots_.size() - free_.size()); }
  bool empty() const { return size() == 0; }

 private:
  const uint32_t epoch_;
  uint64_t last_number_ = 0;
  std::vector<RunningAttempt> slots_;
  std::vector<uint32_t> free_;
};

}  // namespace jobrunner::engine
