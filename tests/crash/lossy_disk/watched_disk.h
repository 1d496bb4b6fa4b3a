// The directory that is watched.

#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>

#include "kill_point.h"
#include "stable_state.h"

namespace jobrunner::crash {

// A file or directory of it.
struct Watched {
  // Relative to the watched directory; "." for itself.
  std::string path;
  struct stat status;
};

// Thread-safe.
class WatchedDisk {
 public:
  // `directory` is as stable_state.h says, and has a file `control`, a Control.
  explicit WatchedDisk(const std::string& directory, bool syncs_logs);

  // What is open as `fd`, if it is watched.
  std::optional<Watched> Find(int fd) const;
  // A path made relative to the watched directory, if it lies in there.
  std::optional<std::string> Within(std::string_view path) const;

  // Whether a sync of it is to be done.
  bool Syncs(const Watched& file) const;

  StableState& stable() { return stable_; }
  KillPoint& point() { return point_; }

 private:
  const std::string root_;
  const bool syncs_logs_;
  StableState stable_;
  KillPoint point_;
};

// Of this process, as its environment says (interpose.cc); null in one that nobody watches.
WatchedDisk* Disk();

}  // namespace jobrunner::crash
