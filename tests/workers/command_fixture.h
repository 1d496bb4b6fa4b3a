#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "support/recording_logger.h"
#include "support/temporary_directory.h"
#include "workers/assignments.h"
#include "workers/command_executor.h"
#include "workers/recording_sink.h"
#include "workers/spawner_protocol.h"
#include "workers/unique_fd.h"

namespace jobrunner::workers {

// Runs real commands. Any is allowed.
class CommandTest : public testing::Test {
 protected:
  CommandTest();

  engine::AttemptToken Start(const v1::Job& job) { return Start(Assign(job)); }
  engine::AttemptToken Start(engine::Assignment assignment);
  engine::Outcome Run(const v1::Job& job);
  engine::Outcome RunShell(const std::string& script) { return Run(ShellJob(script)); }
  void Stop(engine::AttemptToken token, std::chrono::nanoseconds grace);

  // The configuration may be changed before the first command.
  config::v1::Commands& config() { return config_; }
  CommandExecutor& executor();
  void EndExecutor() { executor_.reset(); }

  // A fifo of the test's directory: a command that opens it waits for the test to open it too.
  std::string MakeFifo(const std::string& name);
  std::string PathOf(const std::string& name) { return directory_.PathOf(name); }
  // Lets the command that opens the fifo to read go on.
  void Release(const std::string& path);
  // Waits for a line with a process number on the fifo, and returns a descriptor that becomes
  // readable when that process ends.
  UniqueFd AwaitProcess(const std::string& path);
  // A file that can be executed.
  std::string MakeScript(const std::string& name, const std::string& text, int mode = 0755);

  RecordingSink sink_;
  test::RecordingLogger logger_;

 private:
  test::TemporaryDirectory directory_;
  config::v1::Commands config_;
  CommandCatalog catalog_;
  std::unique_ptr<CommandExecutor> executor_;
};

// A pidfd.
UniqueFd OpenProcess(int pid);
// Whether the process has ended, without waiting.
bool HasEnded(const UniqueFd& process);
// Waits for the end of the process.
void AwaitEnd(const UniqueFd& process);

}  // namespace jobrunner::workers
