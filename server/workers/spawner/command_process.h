#pragma once

#include <sys/types.h>

#include "workers/spawner_protocol.h"

namespace jobrunner::workers {

// What a command's first process starts with. The strings end with NUL, the arrays with null.
struct CommandStart {
  const char* path;
  // Empty: the spawner's.
  const char* working_directory;
  char* const* arguments;
  char* const* variables;
  int input;
  int output;
  int error_output;
};

struct CommandStarted {
  // -1 when it did not start.
  pid_t pid = -1;
  SpawnStep step = SpawnStep::kStarted;
  int error = 0;
};

// Starts a command as a child of the calling thread: in a session and process group of its own,
// with descriptors 0 to 2 and no signal blocked, a subreaper of what it starts, to be killed when
// the calling thread ends. Blocks until the program is executed. The caller has all signals blocked
// and handles none but SIGCHLD.
CommandStarted StartCommand(const CommandStart& start);

}  // namespace jobrunner::workers
