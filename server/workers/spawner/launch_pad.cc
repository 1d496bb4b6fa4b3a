#include "workers/spawner/launch_pad.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include <atomic>

#include "workers/spawner/system_call.h"

namespace jobrunner::workers {
namespace {

// What rt_sigprocmask(2) takes.
constexpr uint64_t kNoSignals = 0;

long Argument(const void* pointer) { return reinterpret_cast<long>(pointer); }

// PR_SET_CHILD_SUBREAPER outlives execve: what the command leaves behind stays below it while it
// lives, and comes to the spawner when it has ended.
long BecomeTreeOfItsOwn(pid_t parent) {
  if (const long result = SystemCall(SYS_setsid); result < 0) return result;
  if (const long result = SystemCall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL); result < 0) {
    return result;
  }
  // The parent died before.
  if (SystemCall(SYS_getppid) != parent) return -ECHILD;
  return SystemCall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
}

// The descriptors are above 2, so that none is overwritten before it is copied.
long SetStandardFiles(const CommandStart& start) {
  const int files[] = {start.input, start.output, start.error_output};
  for (int number = 0; number < 3; ++number) {
    if (const long result = SystemCall(SYS_dup3, files[number], number); result < 0) return result;
  }
  return 0;
}

}  // namespace

pid_t LaunchPad::Launch(const CommandStart& start, LaunchFailure* failure) {
  process_ = {.start = start, .failure = failure, .parent = getpid()};
  return clone(Run, stack_ + kStackBytes,
               CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | kSuspendedParent | SIGCHLD,
               &process_, &launching_, nullptr, &launching_);
}

bool LaunchPad::is_free() const {
  return std::atomic_ref(launching_).load(std::memory_order_acquire) == 0;
}

void LaunchPad::AwaitFree() const {
  while (true) {
    const pid_t launching = std::atomic_ref(launching_).load(std::memory_order_acquire);
    if (launching == 0) return;
    // Not FUTEX_PRIVATE_FLAG: the kernel wakes without it.
    syscall(SYS_futex, &launching_, FUTEX_WAIT, launching, nullptr, nullptr, 0);
  }
}

// Runs in the child, beside the spawner and in its memory: it makes system calls and nothing else.
int LaunchPad::Run(void* argument) {
  const auto& process = *static_cast<const Process*>(argument);
  const CommandStart& start = process.start;
  if (const long result = BecomeTreeOfItsOwn(process.parent); result < 0) {
    GiveUp(process, SpawnStep::kSession, result);
  }
  if (const long result = SetStandardFiles(start); result < 0) {
    GiveUp(process, SpawnStep::kStandardFiles, result);
  }
  // All others close when it executes; this is for one that somebody forgot to mark so.
  SystemCall(SYS_close_range, 3, ~0U, 0);
  if (start.working_directory[0] != '\0') {
    const long result = SystemCall(SYS_chdir, Argument(start.working_directory));
    if (result < 0) GiveUp(process, SpawnStep::kWorkingDirectory, result);
  }
  SystemCall(SYS_rt_sigprocmask, SIG_SETMASK, Argument(&kNoSignals), 0, sizeof(kNoSignals));
  const long result = SystemCall(SYS_execve, Argument(start.path), Argument(start.arguments),
                                 Argument(start.variables));
  GiveUp(process, SpawnStep::kExecute, result);
}

void LaunchPad::GiveUp(const Process& process, SpawnStep step, long result) {
  *process.failure = {.step = step, .error = static_cast<int>(-result)};
  while (true) SystemCall(SYS_exit_group, 127);
}

}  // namespace jobrunner::workers
