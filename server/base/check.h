#pragma once

namespace jobrunner::base {

// Prints `file:line: check failed: condition` to standard error and aborts the process.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

}  // namespace jobrunner::base

// Asserts what cannot happen, in release builds too. Input and environment are never checked with
// it: they get a Status.
#define JOBRUNNER_CHECK(condition)                   \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::jobrunner::base::CheckFailed(__FILE__, __LINE__, #condition))
