#include "client/library/request_id.h"

#include "base/clock.h"
#include "base/prng.h"
#include "base/uuid.h"

namespace jobrunner::client {

std::string NewRequestId() {
  base::Prng random(base::RandomSeed());
  return base::UuidV7(base::RealClock().Read().wall, random);
}

}  // namespace jobrunner::client
