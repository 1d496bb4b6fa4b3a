#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace jobrunner::base {

// A file that is appended to, and put aside when it is full: FILE becomes FILE.1, FILE.1 becomes
// FILE.2, and the oldest goes. What is not a regular file (a device, a FIFO) is never put aside.
//
// One thread at a time. Writes go straight to the operating system; none waits for a reader of a
// FIFO.
class RotatingFile {
 public:
  // Opens or creates the file; errors name it. `files_kept` counts those put aside.
  static absl::StatusOr<std::unique_ptr<RotatingFile>> Open(std::string path, off_t bytes_max,
                                                            int files_kept);
  ~RotatingFile();
  RotatingFile(const RotatingFile&) = delete;
  RotatingFile& operator=(const RotatingFile&) = delete;

  // Appends `line` as a whole, or returns false having appended nothing (a full disk).
  bool Write(std::string_view line);

 private:
  RotatingFile(std::string path, off_t bytes_max, int files_kept, int fd);

  void Rotate();
  std::string PutAsideName(int number) const;

  const std::string path_;
  const off_t bytes_max_;
  const int files_kept_;

  int fd_;
  bool is_regular_ = false;
  off_t size_ = 0;
};

}  // namespace jobrunner::base
