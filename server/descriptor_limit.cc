#include "server/descriptor_limit.h"

#include <sys/resource.h>

#include "base/logging.h"

namespace jobrunner::server {
namespace {

// Both outputs, and a memory file that gives it its input.
constexpr rlim_t kPerCommand = 3;
// Logs, listeners, and clients, a connection each.
constexpr rlim_t kForTheRest = 256;

}  // namespace

void RaiseDescriptorLimit(int32_t commands_max, base::Logger* logger) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  base::LogDebug(*logger, "may have %d descriptors", limit.rlim_cur);
  const rlim_t needed = commands_max * kPerCommand + kForTheRest;
  if (limit.rlim_cur >= needed) return;
  base::LogWarning(*logger,
                   "workers.max is %d, and so many commands at once may take %d descriptors, but "
                   "this process may have %d (ulimit -Hn)",
                   commands_max, needed, limit.rlim_cur);
}

}  // namespace jobrunner::server
