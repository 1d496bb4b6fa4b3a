#include "workers/command_launcher.h"

#include <cerrno>
#include <utility>

#include "workers/command_body.h"
#include "workers/command_failure.h"

namespace jobrunner::workers {

CommandLauncher::CommandLauncher(std::unique_ptr<SpawnerProcess> spawner,
                                 const SpawnerProcess::Options& options,
                                 const CommandCatalog* catalog, Poller* poller, uint64_t tag)
    : options_(options),
      catalog_(*catalog),
      poller_(*poller),
      tag_(tag),
      spawner_(std::move(spawner)) {
  poller_.Watch(spawner_->socket(), tag_);
}

bool CommandLauncher::IsQuick(const CommandAttempt& attempt) const {
  return attempt.command().stdin().empty() && catalog_.KnowsPath(attempt.command().argv(0));
}

absl::Status CommandLauncher::EnsureSpawner() {
  absl::MutexLock lock(&mutex_);
  if (spawner_ != nullptr) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<SpawnerProcess>> spawner = SpawnerProcess::Start(options_);
  if (!spawner.ok()) return spawner.status();
  spawner_ = *std::move(spawner);
  watches_room_ = false;
  poller_.Watch(spawner_->socket(), tag_);
  return absl::OkStatus();
}

std::optional<engine::Failure> CommandLauncher::Launch(uint64_t id, CommandAttempt& attempt) {
  absl::MutexLock lock(&mutex_);
  if (spawner_ == nullptr) return std::nullopt;
  const absl::StatusOr<std::string> path = catalog_.FindProgram(attempt.command().argv(0));
  if (!path.ok()) return ProgramNotFound(path.status());
  SpawnOrder order;
  if (!attempt.OpenFiles(&order)) return NoDescriptorsLeft(errno);
  const CommandBody body = BuildCommandBody(attempt.assignment(), catalog_, *path);
  order.id = id;
  order.body = body.bytes;
  order.arguments = body.arguments;
  order.variables = body.variables;
  attempt.is_spawned = true;
  spawner_->Spawn(std::move(order));
  WatchRoom();
  return std::nullopt;
}

void CommandLauncher::Signal(uint64_t id, int signal) {
  absl::MutexLock lock(&mutex_);
  if (spawner_ == nullptr) return;
  spawner_->Signal(id, signal);
  WatchRoom();
}

bool CommandLauncher::Flush() {
  absl::MutexLock lock(&mutex_);
  if (spawner_ == nullptr) return true;
  spawner_->Flush();
  WatchRoom();
  return !spawner_->has_queued();
}

bool CommandLauncher::ReadReports(std::vector<SpawnReport>* reports) {
  absl::MutexLock lock(&mutex_);
  if (spawner_ == nullptr || spawner_->ReadReports(reports)) return true;
  // Does not block: it is dead.
  spawner_.reset();
  return false;
}

void CommandLauncher::End() {
  absl::MutexLock lock(&mutex_);
  spawner_.reset();
}

void CommandLauncher::WatchRoom() {
  if (spawner_->has_queued() == watches_room_) return;
  watches_room_ = !watches_room_;
  poller_.WatchWritable(spawner_->socket(), tag_, watches_room_);
}

}  // namespace jobrunner::workers
