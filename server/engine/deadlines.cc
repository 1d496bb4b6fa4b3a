#include "engine/deadlines.h"

namespace jobrunner::engine {

Deadlines::Timer Deadlines::Set(base::SteadyTime time, Event event) {
  Timer timer;
  if (time == base::SteadyTime::max()) return timer;
  timer.time_ = time;
  timer.id_ = ++last_id_;
  timers_.emplace(std::make_pair(time, timer.id_), event);
  return timer;
}

void Deadlines::Cancel(Timer* timer) {
  if (timer->set()) timers_.erase({timer->time_, timer->id_});
  *timer = Timer();
}

std::optional<Deadlines::Event> Deadlines::PopDue(base::SteadyTime now) {
  if (timers_.empty() || timers_.begin()->first.first > now) return std::nullopt;
  Event event = timers_.begin()->second;
  timers_.erase(timers_.begin());
  return event;
}

base::SteadyTime Deadlines::earliest() const {
  return timers_.empty() ? base::SteadyTime::max() : timers_.begin()->first.first;
}

}  // namespace jobrunner::engine
