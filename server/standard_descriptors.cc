#include "server/standard_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

namespace jobrunner::server {

void OpenStandardDescriptors() {
  // The lowest free number is taken each time.
  int fd = open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO) fd = open("/dev/null", O_RDWR);
  if (fd >= 0) close(fd);
}

}  // namespace jobrunner::server
