// Where the process is killed.

#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <string_view>

#include "control.h"

namespace jobrunner::crash {

// The point that a test has set in a Control. Thread-safe.
class KillPoint {
 public:
  // Null: nobody is killed.
  explicit KillPoint(Control* control);

  // `call` has been done to `file`, with `bytes` if it wrote some. Does not return if this is the
  // point.
  void Passed(Call call, std::string_view file, std::string_view bytes = {});
  // `call` is about to be done. True if the process is to die in it: DieAt is next.
  bool Reached(Call call, std::string_view file, std::string_view bytes);
  // A message of these pieces was sent.
  void Sent(const iovec* pieces, size_t count);

  [[noreturn]] void DieAt(Call call, std::string_view file);

 private:
  bool IsSet(Call call) const;
  bool Counts(std::string_view file) const;
  bool HasPattern(std::string_view bytes) const;
  // Whether this passing is the one.
  bool CountDown();

  Control* const control_;
};

}  // namespace jobrunner::crash
