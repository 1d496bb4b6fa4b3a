#include "workers/command_loop.h"

#include <signal.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "workers/command_body.h"
#include "workers/command_failure.h"

namespace jobrunner::workers {

using base::SteadyTime;
using std::chrono::milliseconds;

namespace {

// Read of one output before others get their turn.
constexpr int64_t kReadBytesInARow = 256 << 10;
// Streamed output is gathered for this long, or until there is this much.
constexpr milliseconds kGatherTime{100};
constexpr size_t kGatherBytes = 32 << 10;
// A killed command that has not ended by then hangs in the kernel.
constexpr std::chrono::seconds kUnkillableTime{5};
// A file that somebody has open for writing cannot be executed (ETXTBSY). Another process's fork may
// hold it open for a moment, so it is tried again: after 10, 20, 40, 80, 160 ms.
constexpr int kSpawnRetriesMax = 5;
constexpr milliseconds kSpawnRetryTime{10};

// A tag says whose descriptor is ready: an attempt's, by its number and kind, or the spawner's.
enum TagKind : uint64_t { kOutputTag = 0, kErrorOutputTag = 1 };
constexpr uint64_t kSpawnerTag = ~uint64_t{1};

uint64_t TagOf(uint64_t id, TagKind kind) { return id << 1 | kind; }

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

CommandLoop::CommandLoop(Poller poller, std::unique_ptr<SpawnerProcess> spawner,
                         uint64_t open_files, const CommandCatalog* catalog,
                         engine::AttemptSink* sink, base::Logger* logger)
    : catalog_(*catalog),
      sink_(*sink),
      logger_(*logger),
      open_files_(open_files),
      poller_(std::move(poller)),
      spawner_(std::move(spawner)) {
  poller_.Watch(spawner_->socket(), kSpawnerTag);
}

CommandLoop::~CommandLoop() = default;

void CommandLoop::Start(std::vector<NumberedAssignment> work) {
  absl::MutexLock lock(&mutex_);
  const bool was_empty = mail_.work.empty() && mail_.orders.empty();
  if (was_empty) {
    mail_.work = std::move(work);
  } else {
    for (NumberedAssignment& one : work) mail_.work.push_back(std::move(one));
  }
  Wake(was_empty);
}

void CommandLoop::Stop(const std::vector<engine::StopOrder>& orders) {
  absl::MutexLock lock(&mutex_);
  const bool was_empty = mail_.work.empty() && mail_.orders.empty();
  mail_.orders.insert(mail_.orders.end(), orders.begin(), orders.end());
  Wake(was_empty);
}

void CommandLoop::End() {
  absl::MutexLock lock(&mutex_);
  mail_.end = true;
  poller_.Wake();
}

CommandLoop::Mail CommandLoop::TakeMail() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(mail_, {});
}

void CommandLoop::Run() {
  base::ThreadRoleScope scope(&thread_);
  std::vector<uint64_t> ready;
  while (true) {
    poller_.Wait(timers_.empty() ? SteadyTime::max() : timers_.begin()->first, &ready);
    for (const uint64_t tag : ready) Handle(tag);
    Mail mail = TakeMail();
    const bool end = mail.end;
    Step(std::move(mail));
    if (end) break;
  }
  EndAll();
}

void CommandLoop::Step(Mail mail) {
  for (NumberedAssignment& work : mail.work) Accept(std::move(work));
  for (const engine::StopOrder& order : mail.orders) Obey(order);
  if (!timers_.empty()) FireTimers(Now());
  LaunchWaiting();
  Report();
}

void CommandLoop::EndAll() {
  // Returns when all commands have been killed, and all that they started.
  spawner_.reset();
  for (auto& [id, attempt] : attempts_) {
    if (attempt->is_abandoned) continue;
    attempt->FinishOutputs();
    outcomes_.push_back(attempt->EndedWith(SpawnerLost("was ended with the server")));
  }
  Report();
}

void CommandLoop::Accept(NumberedAssignment work) {
  const uint64_t id = work.assignment.token.number;
  attempts_[id] = std::make_unique<CommandAttempt>(std::move(work), catalog_.output_bytes_max());
  waiting_.push_back(id);
}

void CommandLoop::Obey(const engine::StopOrder& order) {
  const uint64_t id = order.token.number;
  const auto found = attempts_.find(id);
  if (found == attempts_.end() || !(found->second->token() == order.token)) return;
  CommandAttempt& attempt = *found->second;
  const SteadyTime forced = Now() + order.grace;
  // A longer grace than before changes nothing.
  if (forced >= attempt.forced) return;
  attempt.forced = forced;
  // One that waits to be started is looked at again at once.
  if (!attempt.is_spawned) return waiting_.push_back(id);
  if (order.grace <= std::chrono::nanoseconds(0)) return Force(id, attempt);
  timers_.emplace(forced, Timer{id, TimerKind::kForce});
  if (!std::exchange(attempt.is_asked, true)) spawner_->Signal(id, SIGTERM);
}

void CommandLoop::Force(uint64_t id, CommandAttempt& attempt) {
  attempt.is_asked = true;
  spawner_->Signal(id, SIGKILL);
  timers_.emplace(Now() + kUnkillableTime, Timer{id, TimerKind::kGiveUp});
}

void CommandLoop::LaunchWaiting() {
  if (spawner_ != nullptr && spawner_->has_queued()) {
    spawner_->Flush();
    if (spawner_->has_queued()) return;
    poller_.WatchWritable(spawner_->socket(), kSpawnerTag, false);
  }
  // Pipes are opened only for what the spawner takes at once, so that those of thousands of commands
  // that begin together are not open twice.
  while (!waiting_.empty() && (spawner_ == nullptr || !spawner_->has_queued())) {
    const uint64_t id = waiting_.front();
    waiting_.pop_front();
    const auto found = attempts_.find(id);
    // It may stand here twice, when its stop was asked.
    if (found != attempts_.end() && !found->second->is_spawned) Launch(id, *found->second);
  }
  if (spawner_ != nullptr && spawner_->has_queued()) {
    poller_.WatchWritable(spawner_->socket(), kSpawnerTag, true);
  }
}

void CommandLoop::Launch(uint64_t id, CommandAttempt& attempt) {
  if (attempt.forced != SteadyTime::max()) {
    return Settle(id, attempt.EndedWith(StoppedBeforeStart()));
  }
  const absl::StatusOr<std::string> path = catalog_.FindProgram(attempt.command().argv(0));
  if (!path.ok()) return Settle(id, attempt.EndedWith(ProgramNotFound(path.status())));
  if (const absl::Status status = EnsureSpawner(); !status.ok()) {
    return Settle(id, attempt.EndedWith(SpawnerLost(std::string(status.message()))));
  }
  SpawnOrder order;
  if (!OpenAndWatch(id, attempt, &order)) {
    return Settle(id, attempt.EndedWith(NoDescriptorsLeft(errno)));
  }
  const CommandBody body = BuildCommandBody(attempt.assignment(), catalog_, *path);
  order.id = id;
  order.body = body.bytes;
  order.arguments = body.arguments;
  order.variables = body.variables;
  attempt.is_spawned = true;
  spawner_->Spawn(std::move(order));
}

bool CommandLoop::OpenAndWatch(uint64_t id, CommandAttempt& attempt, SpawnOrder* order) {
  return attempt.OpenFiles(order) &&
         poller_.Watch(attempt.output().fd(), TagOf(id, kOutputTag)) &&
         poller_.Watch(attempt.error_output().fd(), TagOf(id, kErrorOutputTag));
}

absl::Status CommandLoop::EnsureSpawner() {
  if (spawner_ != nullptr) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<SpawnerProcess>> spawner = SpawnerProcess::Start(open_files_);
  if (!spawner.ok()) return spawner.status();
  spawner_ = *std::move(spawner);
  poller_.Watch(spawner_->socket(), kSpawnerTag);
  return absl::OkStatus();
}

void CommandLoop::Handle(uint64_t tag) {
  if (tag == kSpawnerTag) return TakeReports();
  const uint64_t id = tag >> 1;
  const auto found = attempts_.find(id);
  // It ended in this step.
  if (found == attempts_.end()) return;
  CommandAttempt& attempt = *found->second;
  const bool is_error = (tag & 1) == kErrorOutputTag;
  ReadOutput(id, is_error ? attempt.error_output() : attempt.output(), attempt);
}

void CommandLoop::ReadOutput(uint64_t id, OutputPipe& output, CommandAttempt& attempt) {
  output.Read(kReadBytesInARow);
  if (!attempt.has_news() || attempt.is_abandoned) return;
  if (attempt.gathered_bytes() >= kGatherBytes) {
    Show(attempt);
  } else if (!std::exchange(attempt.awaits_showing, true)) {
    timers_.emplace(Now() + kGatherTime, Timer{id, TimerKind::kShow});
  }
}

void CommandLoop::Show(CommandAttempt& attempt) {
  if (attempt.has_news() && !attempt.is_abandoned) sink_.Wrote(attempt.TakeChunk());
}

void CommandLoop::TakeReports() {
  if (spawner_ == nullptr) return;
  std::vector<SpawnReport> reports;
  const bool is_alive = spawner_->ReadReports(&reports);
  for (const SpawnReport& report : reports) TakeReport(report);
  if (!is_alive) LoseSpawner();
}

void CommandLoop::TakeReport(const SpawnReport& report) {
  const auto found = attempts_.find(report.id);
  if (found == attempts_.end()) return;
  CommandAttempt& attempt = *found->second;
  attempt.FinishOutputs();
  Show(attempt);
  if (report.step == SpawnStep::kStarted) {
    if (report.survivors > 0) {
      base::LogWarning(logger_, "batch %s job %d: %d processes that it started could not be ended",
                       attempt.assignment().jobs->batch_id(), attempt.assignment().index,
                       report.survivors);
    }
    return Settle(report.id, attempt.Ended(report));
  }
  if (RetriesSpawn(report, attempt)) return;
  const v1::Command& command = attempt.command();
  const std::string path = catalog_.FindProgram(command.argv(0)).value_or(command.argv(0));
  Settle(report.id, attempt.EndedWith(SpawnFailure(report, path, command.working_directory())));
}

bool CommandLoop::RetriesSpawn(const SpawnReport& report, CommandAttempt& attempt) {
  if (report.error != ETXTBSY || attempt.spawn_retries == kSpawnRetriesMax) return false;
  attempt.is_spawned = false;
  timers_.emplace(Now() + kSpawnRetryTime * (1 << attempt.spawn_retries++),
                  Timer{report.id, TimerKind::kRetry});
  return true;
}

void CommandLoop::LoseSpawner() {
  base::LogError(logger_, "the process that starts commands has died");
  // The commands that it had started have died with it.
  spawner_.reset();
  std::vector<uint64_t> lost;
  for (const auto& [id, attempt] : attempts_) {
    if (attempt->is_spawned) lost.push_back(id);
  }
  for (const uint64_t id : lost) {
    CommandAttempt& attempt = *attempts_[id];
    attempt.FinishOutputs();
    Settle(id, attempt.EndedWith(SpawnerLost("the process that starts commands has died")));
  }
}

void CommandLoop::FireTimers(SteadyTime now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const auto [time, timer] = *timers_.begin();
    timers_.erase(timers_.begin());
    Fire(timer, time);
  }
}

void CommandLoop::Fire(const Timer& timer, SteadyTime time) {
  const auto found = attempts_.find(timer.id);
  if (found == attempts_.end()) return;
  CommandAttempt& attempt = *found->second;
  switch (timer.kind) {
    case TimerKind::kForce:
      // A shorter grace came after it otherwise.
      if (attempt.forced == time && attempt.is_spawned) Force(timer.id, attempt);
      return;
    case TimerKind::kGiveUp: {
      if (std::exchange(attempt.is_abandoned, true)) return;
      engine::Outcome outcome = attempt.EndedWith(Unkillable());
      outcome.abandoned = true;
      outcomes_.push_back(std::move(outcome));
      return;
    }
    case TimerKind::kShow:
      attempt.awaits_showing = false;
      return Show(attempt);
    case TimerKind::kRetry:
      return waiting_.push_back(timer.id);
  }
}

void CommandLoop::Settle(uint64_t id, engine::Outcome outcome) {
  const auto found = attempts_.find(id);
  const bool was_abandoned = found->second->is_abandoned;
  attempts_.erase(found);
  if (was_abandoned) {
    sink_.SlotReturned(outcome.token);
  } else {
    outcomes_.push_back(std::move(outcome));
  }
}

void CommandLoop::Report() {
  if (!outcomes_.empty()) sink_.Finished(std::exchange(outcomes_, {}));
}

}  // namespace jobrunner::workers
