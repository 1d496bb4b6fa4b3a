#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "base/clock.h"

namespace jobrunner::simulation {

// Virtual time, and what is to happen when. For one thread.
class Timeline {
 public:
  // Starts an hour after the steady clock's zero, at 2026-01-01T00:00:00Z.
  Timeline();

  const base::Now& now() const { return now_; }
  void At(base::SteadyTime time, std::function<void()> action);
  void In(std::chrono::nanoseconds wait, std::function<void()> action) {
    At(now_.steady + wait, std::move(action));
  }
  // The latest that the wall clock has shown, which may have jumped back since.
  base::WallTime latest_wall() const { return std::max(latest_wall_, now_.wall); }
  // max() when nothing is to happen.
  base::SteadyTime next() const;

  // Moves both clocks on, never back.
  void MoveTo(base::SteadyTime time);
  void JumpWall(std::chrono::nanoseconds by);
  // Does what is due, also what that adds for now; what is to happen at one time, in its order.
  void RunDue();

 private:
  base::Now now_;
  // Before the last jump.
  base::WallTime latest_wall_;
  uint64_t last_number_ = 0;
  std::map<std::pair<base::SteadyTime, uint64_t>, std::function<void()>> actions_;
};

}  // namespace jobrunner::simulation
