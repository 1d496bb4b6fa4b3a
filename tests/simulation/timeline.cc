#include "simulation/timeline.h"

namespace jobrunner::simulation {
namespace {

constexpr std::chrono::hours kSteadyStart{1};
constexpr std::chrono::seconds kWallStart{1767225600};  // 2026-01-01T00:00:00Z

}  // namespace

Timeline::Timeline()
    : now_{base::SteadyTime(kSteadyStart), base::WallTime(kWallStart)}, latest_wall_(now_.wall) {}

void Timeline::At(base::SteadyTime time, std::function<void()> action) {
  actions_.emplace(std::make_pair(std::max(time, now_.steady), ++last_number_), std::move(action));
}

base::SteadyTime Timeline::next() const {
  return actions_.empty() ? base::SteadyTime::max() : actions_.begin()->first.first;
}

void Timeline::MoveTo(base::SteadyTime time) {
  if (time <= now_.steady) return;
  now_.wall += time - now_.steady;
  now_.steady = time;
}

void Timeline::JumpWall(std::chrono::nanoseconds by) {
  latest_wall_ = latest_wall();
  now_.wall += by;
}

void Timeline::RunDue() {
  while (!actions_.empty() && actions_.begin()->first.first <= now_.steady) {
    auto action = std::move(actions_.begin()->second);
    actions_.erase(actions_.begin());
    action();
  }
}

}  // namespace jobrunner::simulation
