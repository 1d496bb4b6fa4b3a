#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace jobrunner::rpc {

// When a stream's next message may go. Results that trickle in, one by one, some thousands a
// second, would cost a message each, and those more than short commands do. So what comes after a
// message of fewer than kFewEvents waits for kGatherTimeMin from then; as long as something always
// has waited, that doubles, up to kGatherTimeMax: it waits about as long as it has trickled before.
// What comes after a pause, or in bulk, goes at once.
class MessagePace {
 public:
  static constexpr std::chrono::milliseconds kGatherTimeMin{1};
  static constexpr std::chrono::milliseconds kGatherTimeMax{16};
  static constexpr int64_t kFewEvents = 64;

  // min(): at once.
  base::SteadyTime next() const { return next_; }

  // A message of so many events goes, perhaps before its time. One without any, which only begins
  // the stream, changes nothing.
  void Sent(int64_t events, base::SteadyTime now) {
    if (events == 0) return;
    if (events >= kFewEvents) {
      next_ = now;
      return;
    }
    if (now >= next_) {
      // What goes so soon after it could has mostly waited for that.
      const bool has_waited = now < next_ + gather_time_;
      gather_time_ = has_waited ? std::min(2 * gather_time_, kGatherTimeMax) : kGatherTimeMin;
    }
    next_ = now + gather_time_;
  }

 private:
  base::SteadyTime next_ = base::SteadyTime::min();
  std::chrono::milliseconds gather_time_ = kGatherTimeMin;
};

}  // namespace jobrunner::rpc
