#include "support/rounds.h"

#include <algorithm>
#include <cstdlib>

namespace jobrunner::test {

int Rounds(int count) {
  const char* times = std::getenv("JOBRUNNER_ROUNDS");
  return count * (times == nullptr ? 1 : std::max(1, std::atoi(times)));
}

}  // namespace jobrunner::test
