#pragma once

#include <chrono>

namespace jobrunner::base {

// A moment that only ever moves forward, at the pace of real time. Deadlines are of this kind.
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

// A moment as people and records name it. It may jump when the machine's clock is set.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

// One reading of both clocks.
struct Now {
  SteadyTime steady;
  WallTime wall;
};

// Where the time comes from. Implementations may be read from any thread and never block.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual Now Read() const = 0;
};

// The clocks of the machine.
class RealClock final : public Clock {
 public:
  Now Read() const override;
};

}  // namespace jobrunner::base
