#pragma once

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/logging.h"
#include "engine/executor.h"
#include "workers/command_catalog.h"
#include "workers/numbered_assignment.h"
#include "workers/poller.h"

namespace jobrunner::workers {

class CommandLoop;

// Runs the attempts at commands: one thread for all of them, and the spawner process, which is
// started again should it die. Each attempt has one outcome, reported when nothing that the command
// started is alive. Outputs are read all the time. A stop is SIGTERM to the command's process
// group, then, after the grace, SIGKILL.
//
// Any thread may call it; only Create and the destructor block. The destructor kills what still
// runs, and returns when it is gone; nothing is reported after it.
//
// Raises this process's limit of open files as far as it goes: each running command takes two
// descriptors. Commands get the limit that was there before.
class CommandExecutor {
 public:
  // All outlive the executor; `held_fd` is SpawnerProcess::Options'. UNAVAILABLE when the machine
  // does not let the spawner be started.
  static absl::StatusOr<std::unique_ptr<CommandExecutor>> Create(const CommandCatalog* catalog,
                                                                 engine::AttemptSink* sink,
                                                                 base::Logger* logger,
                                                                 int held_fd = -1);
  ~CommandExecutor();

  void Start(std::vector<NumberedAssignment> work);
  // Attempts that have ended, or were never started here, are ignored.
  void Stop(const std::vector<engine::StopOrder>& orders);

 private:
  explicit CommandExecutor(std::unique_ptr<CommandLoop> loop);

  const std::unique_ptr<CommandLoop> loop_;
  std::thread thread_;
};

}  // namespace jobrunner::workers
