#include "base/clock.h"

namespace jobrunner::base {

Now RealClock::Read() const {
  return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()};
}

}  // namespace jobrunner::base
