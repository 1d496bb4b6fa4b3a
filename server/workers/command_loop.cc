#include "workers/command_loop.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/status/status.h"
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
// A command's outputs are watched from this time after its start, and until then its pipes hold
// them (64 KiB): most commands that end sooner spare two calls, and a wake-up at their end.
constexpr milliseconds kWatchDelay{2};
// Of the commands that are started in one call, so many are launched on the caller's thread, which
// spares a change of threads. It must not be kept long: a launch takes it some 10 µs.
constexpr size_t kLaunchesHereMax = 4;
// A killed command that has not ended by then hangs in the kernel.
constexpr std::chrono::seconds kUnkillableTime{5};
// A file that somebody has open for writing cannot be executed (ETXTBSY). Another process's fork
// may hold it open for a moment, so it is tried again: after 10, 20, 40, 80, 160 ms.
constexpr int kSpawnRetriesMax = 5;
constexpr milliseconds kSpawnRetryTime{10};

// A tag says whose descriptor is ready: an attempt's, by its number and kind, or the spawner's.
enum TagKind : uint64_t { kOutputTag = 0, kErrorOutputTag = 1 };
constexpr uint64_t kSpawnerTag = ~uint64_t{3};

uint64_t TagOf(uint64_t id, TagKind kind) { return id << 1 | kind; }

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

CommandLoop::CommandLoop(Poller poller, std::unique_ptr<SpawnerProcess> spawner,
                         const SpawnerProcess::Options& options, const CommandCatalog* catalog,
                         engine::AttemptSink* sink, base::Logger* logger)
    : catalog_(*catalog),
      sink_(*sink),
      logger_(*logger),
      poller_(std::move(poller)),
      launcher_(std::move(spawner), options, catalog, &poller_, kSpawnerTag) {}

CommandLoop::~CommandLoop() = default;

void CommandLoop::Start(std::vector<NumberedAssignment> work) {
  const bool launch_here = work.size() <= kLaunchesHereMax;
  mail_.Put([&](std::vector<std::unique_ptr<CommandAttempt>>* attempts) {
    const bool was_empty = attempts->empty();
    bool all_under_way = true;
    for (NumberedAssignment& one : work) {
      auto attempt = std::make_unique<CommandAttempt>(std::move(one), catalog_.output_bytes_max());
      all_under_way &= launch_here && LaunchHere(*attempt);
      attempts->push_back(std::move(attempt));
    }
    if (!all_under_way) {
      poller_.Wake();
    } else if (was_empty) {
      // Should nothing else wake the loop before, it begins to watch them then.
      poller_.WakeAt(Now() + kWatchDelay);
    }
  });
}

bool CommandLoop::LaunchHere(CommandAttempt& attempt) {
  if (!launcher_.IsQuick(attempt)) return false;
  attempt.launch_failure = launcher_.Launch(attempt.token().number, attempt);
  return attempt.is_spawned;
}

void CommandLoop::Run() {
  base::ThreadRoleScope scope(&thread_);
  std::vector<uint64_t> ready;
  while (true) {
    poller_.Wait(NextTime(), &ready);
    Events events;
    const bool has_reports = std::find(ready.begin(), ready.end(), kSpawnerTag) != ready.end();
    // Before the mail, so that what is reported is known.
    if (has_reports) events.spawner_lives = launcher_.ReadReports(&events.reports);
    events.ready = std::move(ready);
    Mail::Contents mail = mail_.Take();
    const bool end = mail.end;
    Step(std::move(mail), events);
    ready = std::move(events.ready);
    if (end) break;
  }
  EndAll();
}

void CommandLoop::Step(Mail::Contents mail, const Events& events) {
  for (auto& attempt : mail.attempts) Accept(std::move(attempt));
  for (const SpawnReport& report : events.reports) TakeReport(report);
  if (!events.spawner_lives) LoseSpawner();
  for (const uint64_t tag : events.ready) ReadOutputs(tag);
  for (const engine::StopOrder& order : mail.orders) Obey(order);
  const SteadyTime now = Now();
  FireTimers(now);
  WatchDue(now);
  LaunchWaiting();
  Report();
}

SteadyTime CommandLoop::NextTime() {
  // Most have ended by the time at which they would be watched.
  while (!unwatched_.empty() && !attempts_.contains(unwatched_.front().second)) {
    unwatched_.pop_front();
  }
  const SteadyTime timer = timers_.empty() ? SteadyTime::max() : timers_.begin()->first;
  return unwatched_.empty() ? timer : std::min(timer, unwatched_.front().first);
}

void CommandLoop::EndAll() {
  launcher_.End();
  for (auto& [id, attempt] : attempts_) {
    if (attempt->is_abandoned) continue;
    attempt->FinishOutputs();
    outcomes_.push_back(attempt->EndedWith(SpawnerLost("was ended with the server")));
  }
  Report();
}

void CommandLoop::Accept(std::unique_ptr<CommandAttempt> attempt) {
  const uint64_t id = attempt->token().number;
  CommandAttempt& accepted = *(attempts_[id] = std::move(attempt));
  if (accepted.launch_failure.has_value()) {
    Settle(id, accepted.EndedWith(*std::exchange(accepted.launch_failure, std::nullopt)));
  } else if (accepted.is_spawned) {
    unwatched_.emplace_back(Now() + kWatchDelay, id);
  } else {
    waiting_.push_back(id);
  }
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
  if (!std::exchange(attempt.is_asked, true)) launcher_.Signal(id, SIGTERM);
}

void CommandLoop::Force(uint64_t id, CommandAttempt& attempt) {
  attempt.is_asked = true;
  launcher_.Signal(id, SIGKILL);
  timers_.emplace(Now() + kUnkillableTime, Timer{id, TimerKind::kGiveUp});
}

void CommandLoop::LaunchWaiting() {
  // Pipes are opened only for what the spawner takes at once, so that those of thousands of
  // commands that begin together are not open twice.
  while (!waiting_.empty() && launcher_.Flush()) {
    const uint64_t id = waiting_.front();
    waiting_.pop_front();
    const auto found = attempts_.find(id);
    // It may stand here twice, when its stop was asked.
    if (found != attempts_.end() && !found->second->is_spawned) Launch(id, *found->second);
  }
}

void CommandLoop::Launch(uint64_t id, CommandAttempt& attempt) {
  if (attempt.forced != SteadyTime::max()) {
    return Settle(id, attempt.EndedWith(StoppedBeforeStart()));
  }
  if (const absl::Status status = launcher_.EnsureSpawner(); !status.ok()) {
    return Settle(id, attempt.EndedWith(SpawnerLost(std::string(status.message()))));
  }
  if (std::optional<engine::Failure> failure = launcher_.Launch(id, attempt)) {
    return Settle(id, attempt.EndedWith(*std::move(failure)));
  }
  unwatched_.emplace_back(Now() + kWatchDelay, id);
}

void CommandLoop::WatchDue(SteadyTime now) {
  for (; !unwatched_.empty() && unwatched_.front().first <= now; unwatched_.pop_front()) {
    const uint64_t id = unwatched_.front().second;
    const auto found = attempts_.find(id);
    // One that is tried again waits for another start, and stands here for that too.
    if (found == attempts_.end() || !found->second->is_spawned) continue;
    CommandAttempt& attempt = *found->second;
    if (std::exchange(attempt.is_watched, true)) continue;
    if (poller_.Watch(attempt.output().fd(), TagOf(id, kOutputTag)) &&
        poller_.Watch(attempt.error_output().fd(), TagOf(id, kErrorOutputTag))) {
      continue;
    }
    // Unread, it might block for ever.
    base::LogError(logger_, "batch %s job %d: is ended, since its outputs cannot be watched",
                   attempt.assignment().jobs->batch_id(), attempt.assignment().index);
    launcher_.Signal(id, SIGKILL);
  }
}

void CommandLoop::ReadOutputs(uint64_t tag) {
  if (tag == kSpawnerTag) {
    launcher_.Flush();
    return;
  }
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
  attempt.is_watched = false;
  timers_.emplace(Now() + kSpawnRetryTime * (1 << attempt.spawn_retries++),
                  Timer{report.id, TimerKind::kRetry});
  return true;
}

void CommandLoop::LoseSpawner() {
  base::LogError(logger_, "the process that starts commands has died");
  // The commands that it had started have died with it.
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
  if (!outcomes_.empty()) sink_.FinishedHere(std::exchange(outcomes_, {}));
}

}  // namespace jobrunner::workers
