#include "workers/command_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cstdlib>
#include <fstream>
#include <utility>

namespace jobrunner::workers {

CommandTest::CommandTest() { config_.set_allow_any(true); }

CommandExecutor& CommandTest::executor() {
  if (executor_ == nullptr) {
    catalog_ = CommandCatalog::Load(config_).value();
    executor_ = CommandExecutor::Create(&catalog_, &sink_, &logger_).value();
  }
  return *executor_;
}

engine::AttemptToken CommandTest::Start(engine::Assignment assignment) {
  const engine::AttemptToken token = assignment.token;
  std::vector<NumberedAssignment> work;
  work.push_back({.assignment = std::move(assignment), .worker = 3});
  executor().Start(std::move(work));
  return token;
}

engine::Outcome CommandTest::Run(const v1::Job& job) {
  Start(job);
  return sink_.TakeOutcome();
}

void CommandTest::Stop(engine::AttemptToken token, std::chrono::nanoseconds grace) {
  executor().Stop({{.token = token, .grace = grace}});
}

std::string CommandTest::MakeFifo(const std::string& name) {
  std::string path = PathOf(name);
  EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
  return path;
}

void CommandTest::Release(const std::string& path) { std::ofstream(path) << "\n"; }

UniqueFd CommandTest::AwaitProcess(const std::string& path) {
  std::ifstream fifo(path);
  int pid = 0;
  fifo >> pid;
  UniqueFd process = OpenProcess(pid);
  EXPECT_TRUE(process.is_open()) << "process " << pid;
  return process;
}

std::string CommandTest::MakeScript(const std::string& name, const std::string& text, int mode) {
  std::string path = PathOf(name);
  std::ofstream(path) << text;
  EXPECT_EQ(chmod(path.c_str(), mode), 0);
  return path;
}

// glibc 2.36 declares pidfd_open without C linkage.
UniqueFd OpenProcess(int pid) {
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

bool HasEnded(const UniqueFd& process) {
  pollfd file{.fd = process.get(), .events = POLLIN, .revents = 0};
  return poll(&file, 1, 0) == 1;
}

void AwaitEnd(const UniqueFd& process) {
  pollfd file{.fd = process.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&file, 1, -1), 1);
}

}  // namespace jobrunner::workers
