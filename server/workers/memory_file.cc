#include "workers/memory_file.h"

#include <sys/mman.h>

#include <cerrno>

namespace jobrunner::workers {

UniqueFd MakeMemoryFile(const char* name, std::string_view contents) {
  UniqueFd file(memfd_create(name, MFD_CLOEXEC));
  if (!file.is_open()) return file;
  while (!contents.empty()) {
    const ssize_t count = write(file.get(), contents.data(), contents.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return UniqueFd();
    contents.remove_prefix(static_cast<size_t>(count));
  }
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

}  // namespace jobrunner::workers
