#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace jobrunner::client {

// How many jobs of a run have ended how.
struct Tally {
  int64_t succeeded = 0;
  // Failed for good, or ended by a deadline of their own.
  int64_t failed = 0;
  // Ended because others wanted it: a cancel, --halt, the end of the server.
  int64_t cancelled = 0;

  int64_t done() const { return succeeded + failed + cancelled; }
};

// When a run ends before its input does: GNU parallel's --halt.
class HaltPolicy {
 public:
  enum class When { kNever, kSoon, kNow };
  enum class What { kFail, kSuccess, kDone };

  // Never.
  HaltPolicy() = default;

  // "never", "soon,fail=1", "now,success=3", "now,done=10", and the old 0, 1, 2. Percentages are
  // refused: the number of jobs is not known while the input goes on.
  static absl::StatusOr<HaltPolicy> Parse(const std::string& text);

  bool Reached(const Tally& tally) const;

  // The first failure ends the run, and its exit status is that of the failed job.
  bool on_first_failure() const {
    return when_ != When::kNever && what_ == What::kFail && count_ == 1;
  }
  bool on_success() const { return when_ != When::kNever && what_ == What::kSuccess; }
  When when() const { return when_; }

 private:
  HaltPolicy(When when, What what, int64_t count) : when_(when), what_(what), count_(count) {}

  When when_ = When::kNever;
  What what_ = What::kFail;
  int64_t count_ = 1;
};

}  // namespace jobrunner::client
