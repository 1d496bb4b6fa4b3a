#include "bench/service/child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

extern char** environ;

namespace jobrunner::bench {
namespace {

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "bench: %s\n", message.c_str());
  std::abort();
}

std::string ReadLine(int fd) {
  std::string line;
  char c = 0;
  while (read(fd, &c, 1) == 1) {
    if (c == '\n') return line;
    line.push_back(c);
  }
  Die("a server ended before it served");
}

}  // namespace

Child::Child(std::vector<std::string> argv) {
  int in[2];
  int out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) Die("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  std::vector<char*> arguments;
  for (std::string& argument : argv) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  if (posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ) != 0) {
    Die("cannot start " + argv[0]);
  }
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  stdin_ = in[1];
  stdout_ = out[0];
  const std::string marker = " serving on ";
  std::string line;
  while (line.find(marker) == std::string::npos) line = ReadLine(stdout_);
  address_ = line.substr(line.find(marker) + marker.size());
}

// The end of its standard input is a wish to end; a second one would hurry it.
Child::~Child() {
  close(stdin_);
  waitpid(pid_, nullptr, 0);
  close(stdout_);
}

void Child::Kill() { kill(pid_, SIGKILL); }

int64_t Child::ResidentBytes() const {
  std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
  int64_t pages = 0;
  int64_t resident = 0;
  statm >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

int Child::ThreadCount() const {
  const std::filesystem::directory_iterator tasks("/proc/" + std::to_string(pid_) + "/task");
  return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

double Child::CpuSeconds() const {
  double seconds = 0;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/task")) {
    // Its first number is the time on a processor, in nanoseconds.
    std::ifstream schedstat(task.path() / "schedstat");
    double ns = 0;
    schedstat >> ns;
    seconds += ns * 1e-9;
  }
  return seconds;
}

std::string ProgramFolder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
}

std::unique_ptr<Child> StartServer(const std::string& config, const std::string& store) {
  // The child has read it by the time it serves.
  std::string path = std::filesystem::temp_directory_path() / "jobrunner_bench_XXXXXX";
  const int fd = mkstemp(path.data());
  if (fd < 0 || write(fd, config.data(), config.size()) != static_cast<ssize_t>(config.size())) {
    Die("cannot write a configuration");
  }
  close(fd);
  auto server = std::make_unique<Child>(std::vector<std::string>{
      ProgramFolder() + "/jobrunnerd", "--config=" + path, "--listen=127.0.0.1:0",
      "--store=" + store,
      // Its standard input: it ends when the bench does, however that ends.
      "--exit_with_parent_fd=0", "--log_level=warning"});
  std::filesystem::remove(path);
  return server;
}

std::unique_ptr<Child> StartWorker(const std::string& server, const std::string& name, int slots) {
  return std::make_unique<Child>(std::vector<std::string>{ProgramFolder() + "/bench_worker", server,
                                                          name, std::to_string(slots)});
}

std::unique_ptr<Child> StartBareServer(const std::string& directory) {
  std::vector<std::string> argv = {ProgramFolder() + "/bare_server"};
  if (!directory.empty()) argv.push_back(directory);
  return std::make_unique<Child>(std::move(argv));
}

}  // namespace jobrunner::bench
