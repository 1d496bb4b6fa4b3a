// What a server's commands leave to the next server on the same store: nothing, before it begins.

#pragma once

#include <chrono>
#include <string>

#include "absl/status/statusor.h"

namespace jobrunner::server {

// A lock on a file, held by a server and by the process that starts its commands, which has a copy
// of the descriptor: a server that is killed gives it up once the last of its commands is gone.
class CommandsLock {
 public:
  // None.
  CommandsLock() = default;
  // Blocks until nobody else holds it, `patience` at most: UNAVAILABLE then. Makes the file.
  static absl::StatusOr<CommandsLock> Take(const std::string& path,
                                           std::chrono::nanoseconds patience);
  CommandsLock(CommandsLock&& other) noexcept;
  CommandsLock& operator=(CommandsLock&& other) noexcept;
  ~CommandsLock();

  // -1: none.
  int fd() const { return fd_; }

 private:
  explicit CommandsLock(int fd) : fd_(fd) {}

  int fd_ = -1;
};

}  // namespace jobrunner::server
