// jobrunner-spawner SERVER_PID OPEN_FILES: starts a server's commands and ends them with all that
// they started. The server starts it and speaks to it over descriptor 3; it is of no use otherwise.

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "workers/spawner/spawner.h"
#include "workers/spawner_protocol.h"

namespace jobrunner::workers {
namespace {

constexpr int kSignals = 64;

// A pidfd of the server; the socket's end may stay open longer, where a server's other child has
// it.
int OpenServer(pid_t pid) {
  const int server = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  // It is gone already, and the number may be another's.
  if (server < 0 || getppid() != pid) _exit(1);
  return server;
}

// Every signal is blocked, and has its default action, which commands inherit. SIGCHLD's handler
// only makes it end a wait.
void SetSignals() {
  // What rt_sigaction(2) takes, all zero: SIG_DFL. glibc's own functions refuse the two signals
  // that it keeps for itself, which its posix_spawn has set to be ignored here.
  constexpr size_t kSignalSetBytes = kSignals / 8;
  constexpr char kDefaultAction[64] = {};
  for (int signal = 1; signal <= kSignals; ++signal) {
    syscall(SYS_rt_sigaction, signal, kDefaultAction, nullptr, kSignalSetBytes);
  }
  struct sigaction wake {};
  wake.sa_handler = [](int) {};
  sigaction(SIGCHLD, &wake, nullptr);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
}

// The server has raised its own limit; commands get what it had before.
void SetOpenFiles(rlim_t soft) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void* RunSpawner(void* argument) {
  static_cast<Spawner*>(argument)->Run();
  _exit(0);
}

int Main(char** arguments) {
  const int server = OpenServer(atoi(arguments[1]));
  SetOpenFiles(strtoul(arguments[2], nullptr, 10));
  close(kSpawnerProgram);
  fcntl(kSpawnerSocket, F_SETFD, FD_CLOEXEC);
  fcntl(kSpawnerHeld, F_SETFD, FD_CLOEXEC);
  SetSignals();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  Spawner spawner(kSpawnerSocket, server, open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!spawner.Prepare()) return 2;
  // Commands are the children of a second thread; the first, which the kernel gives the orphans to,
  // has nothing to do but to be their parent.
  pthread_t thread;
  if (pthread_create(&thread, nullptr, RunSpawner, &spawner) != 0) return 1;
  while (true) pause();
}

}  // namespace
}  // namespace jobrunner::workers

int main(int argc, char** argv) {
  if (argc != 3) return 1;
  return jobrunner::workers::Main(argv);
}
