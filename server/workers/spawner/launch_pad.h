#pragma once

#include <sys/types.h>

#include "workers/spawner_protocol.h"

namespace jobrunner::workers {

// What a command's first process starts with. The strings end with NUL, the arrays with null.
struct CommandStart {
  const char* path = nullptr;
  // Empty: the spawner's.
  const char* working_directory = nullptr;
  char* const* arguments = nullptr;
  char* const* variables = nullptr;
  int input = -1;
  int output = -1;
  int error_output = -1;
};

// How far a command came that could not be executed, and the errno; kStarted otherwise.
struct LaunchFailure {
  SpawnStep step = SpawnStep::kStarted;
  int error = 0;
};

// Starts commands, one after the other, as children of the calling thread: in a session and process
// group of their own, with descriptors 0 to 2 and no signal blocked, subreapers of what they start,
// to be killed when the calling thread ends. The caller has all signals blocked and handles none
// but SIGCHLD.
//
// Until it executes, a new process lives in the caller's memory and on the pad's stack, as with
// vfork. But the caller is not suspended: woken again when the process executes, it would be put
// behind it on the same processor, and no other command would start or end before this one is
// done.
class LaunchPad {
 public:
  LaunchPad() = default;
  LaunchPad(const LaunchPad&) = delete;
  LaunchPad& operator=(const LaunchPad&) = delete;

  // The number of the new process, or -1 with errno set. What `start` points to must stay until the
  // pad is free, its descriptors need not; `failure` until the process has been reaped, and says
  // then whether it was executed. The pad must be free.
  pid_t Launch(const CommandStart& start, LaunchFailure* failure);

  // Whether the last process has executed, or ended.
  bool is_free() const;
  // Blocks until it is.
  void AwaitFree() const;

 private:
  static constexpr size_t kStackBytes = 64 << 10;

  struct Process {
    CommandStart start;
    LaunchFailure* failure;
    pid_t parent;
  };

  static int Run(void* process);
  [[noreturn]] static void GiveUp(const Process& process, SpawnStep step, long result);

  Process process_;
  // Its number; 0 when it has executed or ended: then the kernel writes it, and wakes who waits.
  mutable pid_t launching_ = 0;
  alignas(16) char stack_[kStackBytes];
};

}  // namespace jobrunner::workers
