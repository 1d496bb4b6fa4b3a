#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace jobrunner::client {

// The absolute path of the program `name` means to a shell here: a name with a slash is taken from
// `directory`, another is looked for along `path` (as $PATH; empty elements are `directory`).
// NOT_FOUND when none is an executable file.
absl::StatusOr<std::string> ResolveProgram(const std::string& name, const std::string& path,
                                           const std::string& directory);

// The working directory of this process.
absl::StatusOr<std::string> WorkingDirectory();

}  // namespace jobrunner::client
