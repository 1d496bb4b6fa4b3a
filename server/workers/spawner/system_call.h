// System calls for a process that shares its parent's memory while the parent runs on: errno is the
// parent's too, and must not be written. They return what the kernel does, on failure -errno.

#pragma once

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace jobrunner::workers {

#if defined(__x86_64__)

// Of clone(2).
inline constexpr int kSuspendedParent = 0;

// syscall(2), "Architecture calling conventions".
inline long SystemCall(long number, long first = 0, long second = 0, long third = 0,
                       long fourth = 0) {
  long result = 0;
  register long r10 asm("r10") = fourth;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(first), "S"(second), "d"(third), "r"(r10)
               : "rcx", "r11", "memory");
  return result;
}

#else

// Elsewhere the parent waits, as with vfork, and glibc may write errno.
inline constexpr int kSuspendedParent = CLONE_VFORK;

inline long SystemCall(long number, long first = 0, long second = 0, long third = 0,
                       long fourth = 0) {
  const long result = syscall(number, first, second, third, fourth);
  return result < 0 ? -errno : result;
}

#endif

}  // namespace jobrunner::workers
