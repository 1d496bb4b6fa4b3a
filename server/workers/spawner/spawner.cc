#include "workers/spawner/spawner.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

namespace jobrunner::workers {
namespace {

// How long a command's end waits for what it left behind to die of SIGKILL.
constexpr int64_t kOrphanWaitNs = 2'000'000'000;
// How long the spawner stays to end things when the server is gone.
constexpr int64_t kEndWaitNs = 10'000'000'000;
// Requests taken before deaths are looked at again.
constexpr int kRequestsInARow = 16;

int64_t NowNs() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

int64_t Microseconds(const timeval& time) { return time.tv_sec * 1'000'000 + time.tv_usec; }

// A command not reaped yet: so the number is its own, and a session's leader cannot leave its
// group.
void SendSignal(pid_t command, int signal) {
  // It has no group of its own yet: it is about to make one, and has started nothing.
  if (kill(-command, signal) != 0) kill(command, signal);
}

}  // namespace

Spawner::Spawner(int socket, int server, int null_input)
    : socket_(socket), server_(server), null_input_(null_input) {
  for (auto& place : places_) place = std::make_unique<Place>(socket);
}

bool Spawner::Prepare() { return orphans_.Open(); }

void Spawner::Run() {
  while (!server_gone_) {
    const bool has_requests = AwaitNews();
    if (has_requests) TakeRequests();
    // A death that comes meanwhile ends the next wait, unless requests go on and on.
    if (has_requests && requests_in_a_row_ < kRequestsInARow) continue;
    requests_in_a_row_ = 0;
    if (ReapAll() || !ended_.empty()) SettleEnded();
  }
  EndEverything();
}

bool Spawner::AwaitNews() {
  pollfd files[] = {{.fd = socket_, .events = POLLIN, .revents = 0},
                    {.fd = server_, .events = POLLIN, .revents = 0}};
  timespec limit{};
  if (!ended_.empty()) {
    const int64_t wait = std::max<int64_t>(0, ended_.front().end_ns + kOrphanWaitNs - NowNs());
    limit = {.tv_sec = wait / 1'000'000'000, .tv_nsec = wait % 1'000'000'000};
  }
  // Only here is SIGCHLD let in; it ends the wait.
  sigset_t none;
  sigemptyset(&none);
  // With a death to tell of, ppoll changes nothing in `files`.
  if (ppoll(files, 2, ended_.empty() ? nullptr : &limit, &none) <= 0) return false;
  if (files[1].revents != 0) server_gone_ = true;
  return true;
}

void Spawner::TakeRequests() {
  for (; requests_in_a_row_ < kRequestsInARow; ++requests_in_a_row_) {
    Place& place = FreePlace();
    switch (place.request.Read()) {
      case RequestReader::Result::kSpawn:
        StartOne(place);
        place.request.CloseDescriptors();
        break;
      case RequestReader::Result::kSignal:
        Signal(place.request.signal());
        break;
      case RequestReader::Result::kNothing:
        return;
      case RequestReader::Result::kClosed:
        server_gone_ = true;
        return;
    }
  }
}

Spawner::Place& Spawner::FreePlace() {
  for (const auto& place : places_) {
    if (place->pad.is_free()) return *place;
  }
  places_.front()->pad.AwaitFree();
  return *places_.front();
}

void Spawner::StartOne(Place& place) {
  CommandStart start;
  SpawnReport report{.id = place.request.spawn_id(), .step = SpawnStep::kRequest};
  if (!place.request.ParseSpawn(null_input_, &start, &report.error)) return Send(report);
  Command command{
      .id = report.id, .start_ns = NowNs(), .failure = std::make_unique<LaunchFailure>()};
  const pid_t pid = place.pad.Launch(start, command.failure.get());
  if (pid >= 0) {
    pids_[command.id] = pid;
    commands_[pid] = std::move(command);
  } else {
    report.step = SpawnStep::kProcess;
    report.error = errno;
    Send(report);
  }
}

void Spawner::Signal(const SignalRequest& request) {
  const auto found = pids_.find(request.id);
  if (found == pids_.end()) return;
  SendSignal(found->second, request.signal);
  // A stopped process could not heed it.
  if (request.signal != SIGKILL) SendSignal(found->second, SIGCONT);
}

bool Spawner::ReapAll() {
  bool any = false;
  int status = 0;
  rusage usage{};
  pid_t pid = 0;
  while ((pid = wait4(-1, &status, WNOHANG | __WALL, &usage)) > 0) {
    any = true;
    Reaped(pid, status, usage);
  }
  return any;
}

void Spawner::Reaped(pid_t pid, int status, const rusage& usage) {
  const auto found = commands_.find(pid);
  if (found == commands_.end()) return orphans_.Forget(pid);
  const SpawnReport report = ReportOf(found->second, status, usage);
  pids_.erase(report.id);
  commands_.erase(found);
  ended_.push_back({.report = report, .end_ns = NowNs()});
}

SpawnReport Spawner::ReportOf(const Command& command, int status, const rusage& usage) const {
  SpawnReport report{.id = command.id, .step = command.failure->step};
  report.error = command.failure->error;
  report.wait_status = status;
  report.run_ns = NowNs() - command.start_ns;
  report.user_us = Microseconds(usage.ru_utime);
  report.system_us = Microseconds(usage.ru_stime);
  report.max_resident_kib = usage.ru_maxrss;
  return report;
}

// The orphans of a command are children of the spawner before its own death can be seen, and the
// children of an orphan before the orphan's: so no orphan at all means that every tree is gone.
// Which orphan was whose cannot be told, and need not be.
void Spawner::SettleEnded() {
  const int64_t now_ns = NowNs();
  const bool none_left = orphans_.KillAll(now_ns) == 0;
  while (!ended_.empty()) {
    Ended& first = ended_.front();
    if (!none_left) {
      if (now_ns < first.end_ns + kOrphanWaitNs) return;
      first.report.survivors = orphans_.GiveUpThoseSince(first.end_ns + kOrphanWaitNs / 2);
    }
    Send(first.report);
    ended_.pop_front();
  }
}

// Blocks while the server does not read; it always does.
void Spawner::Send(const SpawnReport& report) {
  while (send(socket_, &report, sizeof(report), MSG_NOSIGNAL) < 0) {
    if (errno == EINTR) continue;
    server_gone_ = true;
    return;
  }
}

void Spawner::EndEverything() {
  const int64_t end_ns = NowNs() + kEndWaitNs;
  for (const auto& [pid, command] : commands_) SendSignal(pid, SIGKILL);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  while (NowNs() < end_ns) {
    ReapAll();
    orphans_.KillAll(NowNs());
    if (wait4(-1, nullptr, WNOHANG | __WALL, nullptr) < 0 && errno == ECHILD) return;
    // A death in between is pending; should one be missed, the next look finds it.
    const timespec limit{.tv_sec = 0, .tv_nsec = 10'000'000};
    sigtimedwait(&child, nullptr, &limit);
  }
}

}  // namespace jobrunner::workers
