// Where a server that is told nothing keeps what must last.

#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"

namespace jobrunner::server {

// The first that there is: $STATE_DIRECTORY (systemd's StateDirectory=), /var/lib/jobrunner for
// root, $XDG_STATE_HOME/jobrunner, ~/.local/state/jobrunner. Empty when there is none. `variable`
// is getenv, or a test's.
std::string StateDirectory(const std::function<const char*(const char*)>& variable, bool is_root);

// Makes the directories above `path` that are missing, for this user alone; each is stable before
// the next is made. Blocks on the disk.
absl::Status MakeDirectoriesAbove(const std::string& path);

}  // namespace jobrunner::server
