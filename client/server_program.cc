#include "client/server_program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/environment.h"
#include "client/exit_code.h"
#include "client/program_path.h"

namespace jobrunner::client {
namespace {

constexpr int kSignalled = 128;

// The program, with its standard output into `output`; -1 and errno when it cannot be started.
pid_t Spawn(std::vector<std::string>& argv, int output) {
  std::vector<char*> pointers;
  for (std::string& word : argv) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  // This process ignores SIGPIPE; the other one is to end of it.
  sigset_t pipe_signal;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigdefault(&attributes, &pipe_signal);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  errno = posix_spawn(&pid, argv[0].c_str(), &files, &attributes, pointers.data(), environ);
  const int error = errno;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  errno = error;
  return error == 0 ? pid : -1;
}

void ReadLines(FILE* file, const std::function<void(const std::string&)>& line) {
  char* text = nullptr;
  size_t capacity = 0;
  for (ssize_t size; (size = getline(&text, &capacity, file)) > 0;) {
    if (text[size - 1] == '\n') --size;
    line(std::string(text, static_cast<size_t>(size)));
  }
  free(text);
}

// What jobrunnerd ends with.
constexpr int kDone = 0;
constexpr int kDamaged = 1;
constexpr int kMisunderstood = 2;

}  // namespace

int ExitCodeOfStoreTool(int ended) {
  if (ended == kDone) return kSuccess;
  if (ended == kDamaged) return kStoreDamaged;
  return ended == kMisunderstood ? kUsage : kLocalFailure;
}

absl::StatusOr<std::string> FindServerProgram() {
  std::array<char, 4096> self;
  const ssize_t size = readlink("/proc/self/exe", self.data(), self.size());
  std::string beside(self.data(), size > 0 ? static_cast<size_t>(size) : 0);
  beside = absl::StrCat(beside.substr(0, beside.rfind('/') + 1), "jobrunnerd");
  auto program = ResolveProgram(beside, "", "/");
  if (!program.ok()) program = ResolveProgram("jobrunnerd", Environment("PATH", ""), "/");
  if (program.ok()) return program;
  return absl::NotFoundError("no jobrunnerd beside this program or on the PATH");
}

absl::StatusOr<int> ReadLinesOf(std::vector<std::string> argv,
                                const std::function<void(const std::string&)>& line) {
  std::array<int, 2> fds;
  if (pipe2(fds.data(), O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "a pipe");
  const pid_t pid = Spawn(argv, fds[1]);
  const int error = errno;
  close(fds[1]);
  FILE* const file = fdopen(fds[0], "r");
  if (pid >= 0) ReadLines(file, line);
  fclose(file);
  if (pid < 0) return absl::ErrnoToStatus(error, absl::StrCat("starting ", argv[0]));
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
}

}  // namespace jobrunner::client
