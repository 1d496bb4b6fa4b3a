// What a cancel finds its jobs at.

#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace jobrunner::simulation {

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

// Counts, so that it is known which races the worlds had.
class CancelMoments {
 public:
  static constexpr int kMoments = static_cast<int>(CancelMoment::kEnded) + 1;

  void Count(CancelMoment moment) { ++counts_[static_cast<size_t>(moment)]; }
  void Add(const CancelMoments& others);
  // Whether there were cancels at all of them.
  bool had_all() const;
  // "queued 17, held 3, …"
  std::string ToText() const;

 private:
  std::array<int64_t, kMoments> counts_{};
};

}  // namespace jobrunner::simulation
