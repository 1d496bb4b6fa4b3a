#include "server/state_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace jobrunner::server {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kPrivate = 0700;

std::string_view Text(const char* variable) { return variable == nullptr ? "" : variable; }

absl::Status MakeDirectory(const fs::path& path) {
  const fs::path above = path.parent_path();
  if (mkdir(path.c_str(), kPrivate) != 0 && errno != EEXIST) {
    return absl::ErrnoToStatus(errno, absl::StrCat("making the directory ", path.string()));
  }
  const int fd = open(above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  absl::Status status = synced
                            ? absl::OkStatus()
                            : absl::ErrnoToStatus(errno, absl::StrCat("syncing ", above.string()));
  if (fd >= 0) close(fd);
  return status;
}

absl::Status MakeWithAbove(const fs::path& path) {
  std::error_code error;
  if (path.empty() || fs::exists(path, error)) return absl::OkStatus();
  RETURN_IF_ERROR(MakeWithAbove(path.parent_path()));
  return MakeDirectory(path);
}

}  // namespace

std::string StateDirectory(const std::function<const char*(const char*)>& variable, bool is_root) {
  // systemd names several, if it was told so, with colons between them.
  const std::string_view given = Text(variable("STATE_DIRECTORY"));
  if (!given.empty()) return std::string(given.substr(0, given.find(':')));
  if (is_root) return "/var/lib/jobrunner";
  const std::string_view state = Text(variable("XDG_STATE_HOME"));
  // The specification has relative paths ignored.
  if (state.starts_with('/')) return std::string(state) + "/jobrunner";
  const std::string_view home = Text(variable("HOME"));
  if (home.starts_with('/')) return std::string(home) + "/.local/state/jobrunner";
  return "";
}

absl::Status MakeDirectoriesAbove(const std::string& path) {
  return MakeWithAbove(fs::absolute(path).lexically_normal().parent_path());
}

}  // namespace jobrunner::server
