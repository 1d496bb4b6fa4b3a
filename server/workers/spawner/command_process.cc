#include "workers/spawner/command_process.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace jobrunner::workers {
namespace {

constexpr size_t kStackBytes = 64 << 10;

// Shared with the child, which lives in the caller's memory until it executes.
struct Attempt {
  const CommandStart* start;
  SpawnStep step;
  int error;
};

[[noreturn]] void GiveUp(Attempt* attempt, SpawnStep step) {
  attempt->step = step;
  attempt->error = errno;
  _exit(127);
}

// PR_SET_CHILD_SUBREAPER outlives execve: what the command leaves behind stays below it while it
// lives, and comes to the spawner when it has ended.
bool BecomeTreeOfItsOwn() {
  return setsid() >= 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
         prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
}

bool SetStandardFiles(const CommandStart& start) {
  return dup2(start.input, 0) == 0 && dup2(start.output, 1) == 1 &&
         dup2(start.error_output, 2) == 2;
}

// Runs in the child, on a stack of its own but in the spawner's memory: it makes system calls and
// nothing else.
int Child(void* argument) {
  auto* attempt = static_cast<Attempt*>(argument);
  const CommandStart& start = *attempt->start;
  if (!BecomeTreeOfItsOwn()) GiveUp(attempt, SpawnStep::kSession);
  if (!SetStandardFiles(start)) GiveUp(attempt, SpawnStep::kStandardFiles);
  // All others close when it executes; this is for one that somebody forgot to mark so.
  close_range(3, ~0U, 0);
  if (start.working_directory[0] != '\0' && chdir(start.working_directory) != 0) {
    GiveUp(attempt, SpawnStep::kWorkingDirectory);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(start.path, start.arguments, start.variables);
  GiveUp(attempt, SpawnStep::kExecute);
}

}  // namespace

CommandStarted StartCommand(const CommandStart& start) {
  alignas(16) static char stack[kStackBytes];
  Attempt attempt{.start = &start, .step = SpawnStep::kStarted, .error = 0};
  const pid_t pid = clone(Child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &attempt);
  if (pid < 0) return {.pid = -1, .step = SpawnStep::kProcess, .error = errno};
  if (attempt.step == SpawnStep::kStarted) return {.pid = pid};
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return {.pid = -1, .step = attempt.step, .error = attempt.error};
}

}  // namespace jobrunner::workers
