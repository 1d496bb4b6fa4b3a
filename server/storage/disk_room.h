// Whether the disk has room for more.

#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace jobrunner::storage {

// Looks at the file system of a directory at most once a second. Thread-safe; does not block but
// for the statvfs.
class DiskRoom {
 public:
  // `reserve`: so many bytes are to stay free.
  DiskRoom(std::string path, int64_t reserve);

  // RESOURCE_EXHAUSTED while less than the reserve is free. A file system that cannot be asked has
  // room: if it is broken, writing will tell.
  absl::Status Check() const;

 private:
  int64_t FreeBytes() const;

  const std::string path_;
  const int64_t reserve_;
  // Of the last look; steady time in nanoseconds.
  mutable std::atomic<int64_t> looked_;
  mutable std::atomic<int64_t> free_;
};

}  // namespace jobrunner::storage
