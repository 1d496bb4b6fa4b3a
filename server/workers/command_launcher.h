#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "engine/attempt.h"
#include "workers/command_attempt.h"
#include "workers/command_catalog.h"
#include "workers/poller.h"
#include "workers/spawner_process.h"

namespace jobrunner::workers {

// Hands commands to the spawner process, and starts another should it have died. Any thread may
// call it, but only one EnsureSpawner and ReadReports; only End blocks. Lock order: whatever the
// caller holds, then this.
class CommandLauncher {
 public:
  // The poller reports `tag` when there are reports or room for what is queued. It and the catalog
  // outlive the launcher.
  CommandLauncher(std::unique_ptr<SpawnerProcess> spawner, const SpawnerProcess::Options& options,
                  const CommandCatalog* catalog, Poller* poller, uint64_t tag);

  // Whether Launch would neither look at the file system nor write much: fit for a thread in a
  // hurry.
  bool IsQuick(const CommandAttempt& attempt) const;

  // Starts the spawner if it has died. UNAVAILABLE when the machine does not let it.
  absl::Status EnsureSpawner() ABSL_LOCKS_EXCLUDED(mutex_);

  // Opens the attempt's pipes, sends it off under this number, or queues it, and marks it as
  // spawned. If that cannot be, says why. Without a spawner it does nothing.
  std::optional<engine::Failure> Launch(uint64_t id, CommandAttempt& attempt)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // To the command's process group, if it runs.
  void Signal(uint64_t id, int signal) ABSL_LOCKS_EXCLUDED(mutex_);

  // Sends what is queued as far as there is room. Whether nothing is left.
  bool Flush() ABSL_LOCKS_EXCLUDED(mutex_);

  // Appends the reports that are there. False when the spawner has died: then all that it had is
  // lost.
  bool ReadReports(std::vector<SpawnReport>* reports) ABSL_LOCKS_EXCLUDED(mutex_);

  // Returns when all commands have been killed, and all that they started.
  void End() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void WatchRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const SpawnerProcess::Options options_;
  const CommandCatalog& catalog_;
  Poller& poller_;
  const uint64_t tag_;

  absl::Mutex mutex_;
  // Null when it died and was not needed since.
  std::unique_ptr<SpawnerProcess> spawner_ ABSL_GUARDED_BY(mutex_);
  // The poller also watches for room.
  bool watches_room_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace jobrunner::workers
