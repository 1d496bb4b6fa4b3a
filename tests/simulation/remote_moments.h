// What happened to remote workers and to what they held.

#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace jobrunner::simulation {

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

// Counts, so that it is known which of them the worlds had.
class RemoteMoments {
 public:
  static constexpr int kMoments = static_cast<int>(RemoteMoment::kRefused) + 1;

  void Count(RemoteMoment moment) { ++counts_[static_cast<size_t>(moment)]; }
  void Add(const RemoteMoments& others);
  bool had_all() const;
  // "cut 17, paused 3, …"
  std::string ToText() const;

 private:
  std::array<int64_t, kMoments> counts_{};
};

}  // namespace jobrunner::simulation
