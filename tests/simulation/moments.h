// What the worlds of a simulation are to have had.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

namespace jobrunner::simulation {

// Counts them, so that it is known which there were. `kNames` has a name for each Moment, in their
// order.
template <typename Moment, const auto& kNames>
class Moments {
 public:
  void Count(Moment moment) { ++counts_[static_cast<size_t>(moment)]; }

  void Add(const Moments& others) {
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += others.counts_[i];
  }

  bool had_all() const {
    return std::all_of(counts_.begin(), counts_.end(), [](int64_t count) { return count > 0; });
  }

  // "queued 17, held 3, …"
  std::string ToText() const {
    std::string text;
    for (size_t i = 0; i < counts_.size(); ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ", ", kNames[i], " ", counts_[i]);
    }
    return text;
  }

 private:
  std::array<int64_t, kNames.size()> counts_{};
};

// What a cancel finds its jobs at.
enum class CancelMoment : uint8_t {
  kQueued,
  // Its start is recorded, and no executor has it.
  kHeld,
  kRunning,
  // Its outcome comes in the same Step.
  kFinishing,
  // Its attempt's deadline, or a later one, passes in the same Step.
  kDeadlineFiring,
  kRetrying,
  kEnded,
};

inline constexpr std::array kCancelMomentNames{"queued",        "held",     "running", "finishing",
                                               "at a deadline", "retrying", "ended"};
static_assert(kCancelMomentNames.size() == static_cast<size_t>(CancelMoment::kEnded) + 1);

using CancelMoments = Moments<CancelMoment, kCancelMomentNames>;

// What happens to remote workers and to what they hold.
enum class RemoteMoment : uint8_t {
  // Of workers.
  kCut,
  kPaused,
  kKilled,
  kLeft,
  kCameBack,
  kForgot,
  // Of attempts: it went on over a restart; it was ended without its worker; it was put back since
  // it crossed a leave; its outcome came too late.
  kAdopted,
  kGivenUp,
  kPutBack,
  kRefused,
};

inline constexpr std::array kRemoteMomentNames{"cut",       "paused", "killed",  "left",
                                               "came back", "forgot", "adopted", "given up",
                                               "put back",  "refused"};
static_assert(kRemoteMomentNames.size() == static_cast<size_t>(RemoteMoment::kRefused) + 1);

using RemoteMoments = Moments<RemoteMoment, kRemoteMomentNames>;

}  // namespace jobrunner::simulation
