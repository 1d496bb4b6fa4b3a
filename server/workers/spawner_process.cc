#include "workers/spawner_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "workers/memory_file.h"
#include "workers/spawner_program.h"

namespace jobrunner::workers {
namespace {

// Out of the way of the numbers that the spawner expects its own at.
constexpr int kFirstFreeDescriptor = 10;

absl::Status Unavailable(const char* what, int error) {
  return absl::UnavailableError(
      absl::StrCat("the process that starts commands: ", what, ": ", strerror(error)));
}

UniqueFd MovedUp(UniqueFd fd) {
  return UniqueFd(fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstFreeDescriptor));
}

// Attributes of its own session, with no signal blocked or ignored, and the descriptors it expects.
class SpawnerSetup {
 public:
  // `held` may be -1.
  SpawnerSetup(int socket, int program, int held) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    posix_spawn_file_actions_adddup2(&actions, socket, kSpawnerSocket);
    posix_spawn_file_actions_adddup2(&actions, program, kSpawnerProgram);
    if (held >= 0) posix_spawn_file_actions_adddup2(&actions, held, kSpawnerHeld);
    const int kept = held >= 0 ? kSpawnerHeld : kSpawnerProgram;
    posix_spawn_file_actions_addclosefrom_np(&actions, kept + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
  }
  ~SpawnerSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnerSetup(const SpawnerSetup&) = delete;
  SpawnerSetup& operator=(const SpawnerSetup&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SpawnerProcess>> SpawnerProcess::Start(const Options& options) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return Unavailable("its socket", errno);
  }
  UniqueFd own(ends[0]);
  const UniqueFd its = MovedUp(UniqueFd(ends[1]));
  const UniqueFd program = MovedUp(MakeMemoryFile("jobrunner-spawner", SpawnerProgram()));
  if (!its.is_open() || !program.is_open()) return Unavailable("its program", errno);

  std::string arguments[] = {"jobrunner-spawner", absl::StrCat(getpid()),
                             absl::StrCat(options.open_files)};
  char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(), nullptr};
  char* environment[] = {nullptr};
  const std::string path = absl::StrCat("/proc/self/fd/", kSpawnerProgram);
  UniqueFd held;
  if (options.held_fd >= 0) {
    held = UniqueFd(fcntl(options.held_fd, F_DUPFD_CLOEXEC, kFirstFreeDescriptor));
    if (!held.is_open()) return Unavailable("a descriptor for it", errno);
  }
  const SpawnerSetup setup(its.get(), program.get(), held.get());
  pid_t pid = -1;
  const int error =
      posix_spawn(&pid, path.c_str(), &setup.actions, &setup.attributes, argv, environment);
  if (error != 0) return Unavailable("posix_spawn", error);
  return std::unique_ptr<SpawnerProcess>(new SpawnerProcess(std::move(own), pid));
}

SpawnerProcess::~SpawnerProcess() {
  queue_.clear();
  socket_.Close();
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void SpawnerProcess::Spawn(SpawnOrder order) {
  SpawnRequest request;
  request.body_bytes = static_cast<uint32_t>(order.body.size());
  request.id = order.id;
  request.arguments = order.arguments;
  request.variables = order.variables;
  request.has_input = order.input.is_open() ? 1 : 0;
  Packet packet;
  packet.bytes.assign(reinterpret_cast<const char*>(&request), sizeof(request));
  packet.descriptors.push_back(std::move(order.output));
  packet.descriptors.push_back(std::move(order.error_output));
  if (order.input.is_open()) packet.descriptors.push_back(std::move(order.input));
  if (order.body.size() <= kBodyBytesInline) {
    packet.bytes.append(order.body);
  } else {
    // Without the file the spawner misses a descriptor and says so.
    UniqueFd body = MakeMemoryFile("jobrunner-command", order.body);
    if (body.is_open()) packet.descriptors.push_back(std::move(body));
  }
  Enqueue(std::move(packet));
}

void SpawnerProcess::Signal(uint64_t id, int signal) {
  SignalRequest request;
  request.signal = signal;
  request.id = id;
  Packet packet;
  packet.bytes.assign(reinterpret_cast<const char*>(&request), sizeof(request));
  Enqueue(std::move(packet));
}

void SpawnerProcess::Enqueue(Packet packet) {
  if (!queue_.empty() || !Send(packet)) queue_.push_back(std::move(packet));
}

void SpawnerProcess::Flush() {
  while (!queue_.empty() && Send(queue_.front())) queue_.pop_front();
}

bool SpawnerProcess::Send(const Packet& packet) {
  iovec data{.iov_base = const_cast<char*>(packet.bytes.data()), .iov_len = packet.bytes.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kDescriptorsMax)] = {};
  if (!packet.descriptors.empty()) {
    const size_t bytes = sizeof(int) * packet.descriptors.size();
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(bytes);
    int* const numbers = reinterpret_cast<int*>(CMSG_DATA(header));
    for (size_t i = 0; i < packet.descriptors.size(); ++i) {
      numbers[i] = packet.descriptors[i].get();
    }
  }
  while (sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    // ETOOMANYREFS: as many descriptors are under way as this user may have open.
    if (errno == EAGAIN || errno == ETOOMANYREFS || errno == ENOBUFS || errno == ENOMEM)
      return false;
    // Otherwise the spawner has died, which ReadReports will find.
    if (errno != EINTR) return true;
  }
  return true;
}

bool SpawnerProcess::ReadReports(std::vector<SpawnReport>* reports) {
  SpawnReport report;
  while (true) {
    const ssize_t bytes = recv(socket_.get(), &report, sizeof(report), MSG_DONTWAIT);
    if (bytes == sizeof(report)) {
      reports->push_back(report);
    } else if (bytes == 0 || (errno != EINTR && errno != EAGAIN)) {
      return false;
    } else if (errno == EAGAIN) {
      return true;
    }
  }
}

}  // namespace jobrunner::workers
