#pragma once

#include <cstdint>

#include "engine/attempt.h"

namespace jobrunner::workers {

// An assignment that has got its worker: "worker 3" is 3.
struct NumberedAssignment {
  engine::Assignment assignment;
  int32_t worker = 0;
};

}  // namespace jobrunner::workers
