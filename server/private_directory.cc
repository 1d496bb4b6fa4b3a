#include "server/private_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace jobrunner::server {

absl::StatusOr<PrivateDirectory> PrivateDirectory::Take(const std::string& path) {
  const std::string flag = absl::StrCat("--remove_directory_on_exit=", path);
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return absl::ErrnoToStatus(errno, flag);
  const bool is_private = S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
                          (status.st_mode & 077) == 0 && path.starts_with('/');
  if (!is_private) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag,
        ": must be the absolute path of a directory that only its owner, this user, can enter"));
  }
  PrivateDirectory directory;
  directory.path_ = path;
  return directory;
}

void PrivateDirectory::Remove() const {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace jobrunner::server
