#include "storage/sync_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace jobrunner::storage {

absl::Status SyncDirectory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("opening ", path));
  const auto closer = absl::MakeCleanup([fd] { close(fd); });
  if (fsync(fd) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("syncing ", path));
}

}  // namespace jobrunner::storage
