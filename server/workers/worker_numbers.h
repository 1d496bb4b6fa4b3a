#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace jobrunner::workers {

// The numbers of the workers, from 1: each attempt gets the lowest that is free. And how many
// workers there are: as many as were needed lately, within bounds. To be used by one thread at a
// time.
class WorkerNumbers {
 public:
  // How long a worker stays without work.
  static constexpr std::chrono::seconds kIdleTime{10};

  int32_t Take(base::SteadyTime now);
  // `number` was taken.
  void GiveBack(int32_t number);

  int32_t busy() const { return busy_; }

  // Workers there are: at least `min`; above that, up to the highest one that is busy or was given
  // work within kIdleTime.
  int32_t Count(int32_t min, base::SteadyTime now);

 private:
  struct Worker {
    bool busy = false;
    base::SteadyTime last_start;
  };
  // workers_[n - 1] is worker n. The last one was needed lately.
  std::vector<Worker> workers_;
  // No lower index is free.
  size_t first_free_ = 0;
  int32_t busy_ = 0;
};

}  // namespace jobrunner::workers
