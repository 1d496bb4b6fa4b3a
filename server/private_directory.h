#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace jobrunner::server {

// A directory that goes with the process.
class PrivateDirectory {
 public:
  // None.
  PrivateDirectory() = default;

  // INVALID_ARGUMENT unless `path` is absolute and names a directory (no symbolic link) that
  // belongs to this user and that nobody else can enter: what would be removed can hardly be
  // anything else.
  static absl::StatusOr<PrivateDirectory> Take(const std::string& path);

  // Removes it with all that is in it; follows no links. Any thread, more than once.
  void Remove() const;

 private:
  std::string path_;
};

}  // namespace jobrunner::server
