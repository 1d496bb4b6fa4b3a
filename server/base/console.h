#pragma once

#include <string_view>

namespace jobrunner::base {

// A terminal, pipe or file that lines are written to, which may have stopped reading: a line that
// is not taken within a tenth of a second is dropped, and from then on every line that is not taken
// at once, until the reader is back.
//
// One thread at a time, with SIGPIPE blocked or ignored. Does not own the descriptor.
class Console {
 public:
  explicit Console(int fd) : fd_(fd) {}

  // False when the line was dropped, or, if it is longer than 4 KiB, cut.
  bool Write(std::string_view line);

 private:
  bool WaitUntilWritable();

  const int fd_;
  bool reader_stalled_ = false;
};

}  // namespace jobrunner::base
