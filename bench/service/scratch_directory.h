// A directory on a real disk for the time of a bench.

#pragma once

#include <string>

namespace jobrunner::bench {

// In TMPDIR, or /tmp. Removed with all that is in it.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  std::string Path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace jobrunner::bench
