#include "server/descriptor_limit.h"

#include <sys/resource.h>

#include "base/logging.h"

namespace jobrunner::server {

void RaiseDescriptorLimit(base::Logger* logger) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0) {
    base::LogDebug(*logger, "may have %d descriptors", limit.rlim_cur);
  }
}

}  // namespace jobrunner::server
