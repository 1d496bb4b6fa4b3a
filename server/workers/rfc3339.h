#pragma once

#include <string>

#include "base/clock.h"

namespace jobrunner::workers {

// As "2026-01-31T23:59:59.123Z": how work is told its deadline.
std::string Rfc3339(base::WallTime time);

}  // namespace jobrunner::workers
