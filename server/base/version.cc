#include "base/version.h"

namespace jobrunner::base {

const char kVersion[] = JOBRUNNER_VERSION;

}  // namespace jobrunner::base
