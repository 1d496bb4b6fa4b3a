#include "client/private_server.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/environment.h"
#include "client/printer.h"
#include "client/server_program.h"
#include "jobrunner/config/v1/config.pb.h"

namespace jobrunner::client {
namespace {

constexpr absl::string_view kServing = "jobrunnerd: serving on ";
// What the pipe is to the server; 0 to 2 are taken.
constexpr int kLifeFd = 3;
// A socket's path has 107 bytes.
constexpr size_t kDirectoryBytesMax = 80;
constexpr int64_t kOutputBytesMax = 1 << 20;

struct Pipe {
  int read = -1;
  int write = -1;
};

// Above the descriptors that the server gets, so that putting those in place overwrites neither.
int Raised(int fd) {
  const int raised = fcntl(fd, F_DUPFD_CLOEXEC, kLifeFd + 1);
  close(fd);
  return raised;
}

absl::StatusOr<Pipe> OpenPipe() {
  std::array<int, 2> fds;
  if (pipe2(fds.data(), O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "a pipe");
  return Pipe{Raised(fds[0]), Raised(fds[1])};
}

// The one that was named, or else the one that is found.
absl::StatusOr<std::string> FindServer(const std::string& named) {
  if (!named.empty()) return named;
  auto program = FindServerProgram();
  if (program.ok()) return program;
  return absl::NotFoundError(absl::StrCat(program.status().message(),
                                          ", to run a private server; --server names another"));
}

std::string DirectoryTemplate() {
  const std::string runtime = Environment("XDG_RUNTIME_DIR", "");
  const bool usable = !runtime.empty() && runtime.size() < kDirectoryBytesMax &&
                      access(runtime.c_str(), W_OK | X_OK) == 0;
  return absl::StrCat(usable ? runtime : "/tmp", "/jobrunner-XXXXXX");
}

std::string Configuration(const std::string& address, const PrivateServer::Options& options) {
  config::v1::Config config;
  config.set_listen(address);
  config.set_store("memory:");
  config.mutable_workers()->set_max(options.workers_max);
  config.mutable_commands()->set_allow_any(true);
  config.mutable_commands()->set_output_bytes_max(kOutputBytesMax);
  config.mutable_commands()->mutable_env()->insert(options.environment.begin(),
                                                   options.environment.end());
  config.mutable_log()->set_level("warning");
  return CompactJson(config);
}

absl::Status WriteFile(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return absl::ErrnoToStatus(errno, path);
  const ssize_t size = write(fd, text.data(), text.size());
  const int error = errno;
  close(fd);
  if (size != static_cast<ssize_t>(text.size())) return absl::ErrnoToStatus(error, path);
  return absl::OkStatus();
}

// Its own session, no blocked or ignored signals, and descriptors 0 to 3 alone.
class SpawnPlan {
 public:
  SpawnPlan(int output_fd, int said_fd, int life_fd) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files_, output_fd, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files_, said_fd, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&files_, life_fd, kLifeFd);
    posix_spawn_file_actions_addclosefrom_np(&files_, kLifeFd + 1);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }

  absl::StatusOr<pid_t> Spawn(std::vector<std::string> argv) const {
    std::vector<char*> pointers;
    for (std::string& word : argv) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    pid_t pid = -1;
    const int error =
        posix_spawn(&pid, argv[0].c_str(), &files_, &attributes_, pointers.data(), environ);
    if (error != 0) return absl::ErrnoToStatus(error, absl::StrCat("starting ", argv[0]));
    return pid;
  }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

// False at the end of the output.
bool ReadLine(int fd, std::string* line) {
  for (char c; read(fd, &c, 1) == 1;) {
    if (c == '\n') return true;
    *line += c;
  }
  return false;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PrivateServer>> PrivateServer::Start(const Options& options) {
  const auto program = FindServer(options.program);
  if (!program.ok()) return program.status();
  std::unique_ptr<PrivateServer> server(new PrivateServer());
  absl::Status status = server->MakeDirectory();
  if (status.ok()) status = server->WriteConfiguration(options);
  if (status.ok()) status = server->Spawn(*program);
  if (status.ok()) status = server->AwaitServing();
  if (!status.ok()) return status;
  return server;
}

PrivateServer::~PrivateServer() {
  Watch(nullptr);
  close(life_fd_);
  if (watcher_.joinable()) watcher_.join();
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
  close(output_fd_);
  close(said_fd_);
  if (directory_.empty()) return;
  // The server has removed it, unless it never came so far.
  for (const char* file : {"/config.json", "/stderr", "/socket"}) {
    unlink(absl::StrCat(directory_, file).c_str());
  }
  rmdir(directory_.c_str());
}

void PrivateServer::Watch(std::function<void(std::string)> on_end) {
  absl::MutexLock lock(&mutex_);
  on_end_ = std::move(on_end);
  if (!watcher_.joinable()) watcher_ = std::thread([this] { AwaitEnd(); });
}

void PrivateServer::AwaitEnd() {
  std::string line;
  while (ReadLine(output_fd_, &line)) line.clear();
  absl::MutexLock lock(&mutex_);
  if (on_end_) on_end_(Said());
}

absl::Status PrivateServer::MakeDirectory() {
  std::string name = DirectoryTemplate();
  if (mkdtemp(name.data()) == nullptr) return absl::ErrnoToStatus(errno, name);
  directory_ = name;
  return absl::OkStatus();
}

absl::Status PrivateServer::WriteConfiguration(const Options& options) {
  const std::string address = absl::StrCat("unix:", directory_, "/socket");
  return WriteFile(absl::StrCat(directory_, "/config.json"), Configuration(address, options));
}

absl::Status PrivateServer::Spawn(const std::string& program) {
  const std::string said = absl::StrCat(directory_, "/stderr");
  said_fd_ = Raised(open(said.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
  if (said_fd_ < 0) return absl::ErrnoToStatus(errno, said);
  const auto output = OpenPipe();
  if (!output.ok()) return output.status();
  output_fd_ = output->read;
  const auto close_output = absl::MakeCleanup([&] { close(output->write); });
  const auto life = OpenPipe();
  if (!life.ok()) return life.status();
  life_fd_ = life->write;
  const auto close_life = absl::MakeCleanup([&] { close(life->read); });
  const auto pid = SpawnPlan(output->write, said_fd_, life->read)
                       .Spawn({program, absl::StrCat("--config=", directory_, "/config.json"),
                               absl::StrCat("--exit_with_parent_fd=", kLifeFd),
                               absl::StrCat("--remove_directory_on_exit=", directory_)});
  if (!pid.ok()) return pid.status();
  pid_ = *pid;
  return absl::OkStatus();
}

absl::Status PrivateServer::AwaitServing() {
  std::string line;
  if (ReadLine(output_fd_, &line) && absl::StartsWith(line, kServing)) {
    address_ = std::string(absl::StripPrefix(line, kServing));
    return absl::OkStatus();
  }
  kill(pid_, SIGKILL);
  waitpid(std::exchange(pid_, -1), nullptr, 0);
  return absl::InternalError(absl::StrCat("the private jobrunnerd did not start:\n", Said()));
}

std::string PrivateServer::Said() const {
  std::array<char, 16384> said;
  const ssize_t size = pread(said_fd_, said.data(), said.size(), 0);
  return std::string(said.data(), size > 0 ? static_cast<size_t>(size) : 0);
}

}  // namespace jobrunner::client
