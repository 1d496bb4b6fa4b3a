#include "client/program_path.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/library/safe_text.h"

namespace jobrunner::client {
namespace {

bool IsProgram(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

std::string Absolute(const std::string& path, const std::string& directory) {
  return path.front() == '/' ? path : absl::StrCat(directory, "/", path);
}

}  // namespace

absl::StatusOr<std::string> ResolveProgram(const std::string& name, const std::string& path,
                                           const std::string& directory) {
  if (name.empty()) return absl::NotFoundError("a command without a name");
  if (name.find('/') != std::string::npos) {
    const std::string program = Absolute(name, directory);
    if (IsProgram(program)) return program;
    return absl::NotFoundError(absl::StrCat(SafeText(name), ": no such executable file"));
  }
  for (const std::string& element : std::vector<std::string>(absl::StrSplit(path, ':'))) {
    const std::string program =
        absl::StrCat(element.empty() ? directory : Absolute(element, directory), "/", name);
    if (IsProgram(program)) return program;
  }
  return absl::NotFoundError(absl::StrCat(SafeText(name), ": no such command on the PATH"));
}

absl::StatusOr<std::string> WorkingDirectory() {
  char directory[PATH_MAX];
  if (getcwd(directory, sizeof directory) == nullptr) {
    return absl::ErrnoToStatus(errno, "the working directory");
  }
  return std::string(directory);
}

}  // namespace jobrunner::client
