// What commands leave behind is gone when their outcome is seen, however it hides.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "workers/command_fixture.h"

namespace jobrunner::workers {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

class ProcessTreeTest : public CommandTest {
 protected:
  // A script that leaves behind what `leave` starts, once it has been released; `leave` runs a
  // script that says its process's number.
  std::string Leaving(const std::string& leave) {
    gate_ = MakeFifo("gate");
    fifo_ = MakeFifo("fifo");
    const std::string daemon =
        MakeScript("daemon", absl::StrCat("#!/bin/sh\ntrap '' TERM HUP INT\necho $$ > ", fifo_,
                                          "\nexec /bin/sleep 100000\n"));
    return absl::StrCat("daemon=", daemon, "\n", leave, "\nread x < ", gate_);
  }

  void ExpectGoneBeforeTheOutcome(const std::string& leave) {
    Start(ShellJob(Leaving(leave)));
    const UniqueFd daemon = AwaitProcess(fifo_);
    EXPECT_FALSE(HasEnded(daemon));
    Release(gate_);
    const engine::Outcome outcome = sink_.TakeOutcome();
    EXPECT_EQ(outcome.failure, nullptr);
    EXPECT_TRUE(HasEnded(daemon));
  }

  std::string gate_;
  std::string fifo_;
};

TEST_F(ProcessTreeTest, ABackgroundProcessIsEnded) { ExpectGoneBeforeTheOutcome("$daemon &"); }

TEST_F(ProcessTreeTest, AProcessWithASessionOfItsOwnIsEnded) {
  ExpectGoneBeforeTheOutcome("setsid $daemon &");
}

TEST_F(ProcessTreeTest, ADaemonThatForkedTwiceWithACleanEnvironmentIsEnded) {
  ExpectGoneBeforeTheOutcome("(env -i /usr/bin/setsid $daemon > /dev/null 2>&1 < /dev/null &)");
}

TEST_F(ProcessTreeTest, ATreeOfSessionsIsEnded) {
  ExpectGoneBeforeTheOutcome(
      "setsid sh -c 'setsid sh -c \"setsid $0 & wait\" $0 & wait' $daemon &");
}

TEST_F(ProcessTreeTest, AGrandchildThatHoldsThePipeOpenWedgesNothing) {
  const engine::Outcome outcome = RunShell("sleep 100000 & echo started");
  EXPECT_EQ(outcome.failure, nullptr);
  EXPECT_EQ(outcome.output, "started\n");
}

TEST_F(ProcessTreeTest, ADaemonOfACommandThatIsStoppedIsEnded) {
  const engine::AttemptToken token = Start(ShellJob(Leaving("setsid $daemon &")));
  const UniqueFd daemon = AwaitProcess(fifo_);
  Stop(token, hours(1));
  EXPECT_EQ(sink_.TakeOutcome().command->signal, SIGTERM);
  EXPECT_TRUE(HasEnded(daemon));
}

TEST_F(ProcessTreeTest, ADaemonOfACommandThatIsForcedIsEnded) {
  const engine::AttemptToken token = Start(ShellJob(Leaving("trap '' TERM; (setsid $daemon &)")));
  const UniqueFd daemon = AwaitProcess(fifo_);
  Stop(token, milliseconds(1));
  EXPECT_EQ(sink_.TakeOutcome().command->signal, SIGKILL);
  EXPECT_TRUE(HasEnded(daemon));
}

TEST_F(ProcessTreeTest, ADaemonOfACommandThatCrashesIsEnded) {
  Start(ShellJob(absl::StrCat(Leaving("setsid $daemon &"), "; kill -KILL $$")));
  const UniqueFd daemon = AwaitProcess(fifo_);
  Release(gate_);
  EXPECT_EQ(sink_.TakeOutcome().command->signal, SIGKILL);
  EXPECT_TRUE(HasEnded(daemon));
}

TEST_F(ProcessTreeTest, TheDaemonsOfManyCommandsAreEnded) {
  constexpr int kCount = 50;
  const std::string fifo = MakeFifo("fifo");
  // Held open by the test, so that the commands can write without waiting for each other.
  const UniqueFd reader(open(fifo.c_str(), O_RDWR | O_CLOEXEC));
  const std::string daemon = MakeScript(
      "daemon", absl::StrCat("#!/bin/sh\necho $$ > ", fifo, "\nexec /bin/sleep 100000\n"));
  const std::string ready = MakeFifo("ready");
  std::vector<NumberedAssignment> work;
  const v1::Job job = ShellJob(absl::StrCat("(setsid ", daemon, " &); read x < ", ready));
  for (engine::Assignment& assignment : Assign(std::vector<v1::Job>(kCount, job))) {
    work.push_back({.assignment = std::move(assignment), .worker = 1});
  }
  executor().Start(std::move(work));
  std::vector<UniqueFd> daemons;
  std::string line;
  while (daemons.size() < kCount) {
    char c = 0;
    ASSERT_EQ(read(reader.get(), &c, 1), 1);
    if (c != '\n') {
      line += c;
      continue;
    }
    daemons.push_back(OpenProcess(std::stoi(line)));
    line.clear();
  }
  // A reader that finds the writer gone ends its read.
  const UniqueFd writer(open(ready.c_str(), O_RDWR | O_CLOEXEC));
  const std::string lines(kCount, '\n');
  ASSERT_EQ(write(writer.get(), lines.data(), lines.size()), kCount);
  sink_.TakeOutcomes(kCount);
  for (const UniqueFd& process : daemons) EXPECT_TRUE(HasEnded(process));
}

// Whether a process runs whose command line names `text`.
bool IsRunning(const std::string& text) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline");
    // Stays empty when the process has gone since the file was opened.
    std::ostringstream line;
    line << file.rdbuf();
    if (absl::StrContains(line.str(), text)) return true;
  }
  return false;
}

TEST_F(ProcessTreeTest, AProcessThatHopsFromSessionToSessionIsCaught) {
  const std::string gate = MakeFifo("gate");
  const std::string hops = PathOf("hops");
  const std::string hopper =
      MakeScript("hopper", absl::StrCat("#!/bin/sh\necho >> ", hops, "\nsetsid \"$0\" &\n"));
  Start(ShellJob(absl::StrCat(hopper, " & read x < ", gate)));
  Release(gate);
  EXPECT_EQ(sink_.TakeOutcome().failure, nullptr);
  EXPECT_FALSE(IsRunning(hopper));
}

TEST_F(ProcessTreeTest, TheEndOfTheExecutorEndsCommandsAndDaemons) {
  Start(ShellJob(Leaving("setsid $daemon &")));
  const UniqueFd daemon = AwaitProcess(fifo_);
  EndExecutor();
  EXPECT_TRUE(HasEnded(daemon));
  ASSERT_EQ(sink_.outcome_count(), 1);
  EXPECT_NE(sink_.TakeOutcome().failure, nullptr);
}

// The children of this process.
std::vector<int> Children() {
  std::vector<int> children;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "children");
    for (int pid = 0; file >> pid;) children.push_back(pid);
  }
  return children;
}

TEST_F(ProcessTreeTest, WhenTheSpawnerDiesItsCommandsDieAndAnotherTakesItsPlace) {
  const std::string fifo = MakeFifo("fifo");
  Start(ShellJob(absl::StrCat("echo $$ > ", fifo, "; exec sleep 100000")));
  const UniqueFd command = AwaitProcess(fifo);
  const std::vector<int> spawners = Children();
  ASSERT_EQ(spawners.size(), 1);
  kill(spawners[0], SIGKILL);
  const engine::Outcome outcome = sink_.TakeOutcome();
  ASSERT_NE(outcome.failure, nullptr);
  EXPECT_EQ(outcome.failure->reason, v1::REASON_WORKER_LOST);
  EXPECT_EQ(outcome.failure->code, 14);
  AwaitEnd(command);
  EXPECT_EQ(RunShell("echo again").output, "again\n");
}

TEST_F(ProcessTreeTest, WhenTheServerIsKilledEverythingItStartedEnds) {
  const std::string fifo = MakeFifo("fifo");
  const std::string daemon_fifo = MakeFifo("daemon-fifo");
  const std::string holder =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "command_holder";
  std::string arguments[] = {
      holder, absl::StrCat("trap '' TERM; echo $$ > ", fifo, "; while :; do sleep 100000; done"),
      absl::StrCat("setsid sh -c 'echo $$ > ", daemon_fifo, "; exec sleep 100000' & sleep 100000")};
  char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(), nullptr};
  pid_t pid = -1;
  ASSERT_EQ(posix_spawn(&pid, holder.c_str(), nullptr, nullptr, argv, environ), 0);
  const UniqueFd command = AwaitProcess(fifo);
  const UniqueFd daemon = AwaitProcess(daemon_fifo);
  kill(pid, SIGKILL);
  AwaitEnd(command);
  AwaitEnd(daemon);
  waitpid(pid, nullptr, 0);
}

int Threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

TEST_F(ProcessTreeTest, ThousandsOfCommandsThatSleepTakeNoThreads) {
  const std::string fifo = MakeFifo("fifo");
  const UniqueFd reader(open(fifo.c_str(), O_RDWR | O_CLOEXEC));
  executor();
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  // Two descriptors each; fewer commands where the machine does not allow so many.
  const int count = static_cast<int>(std::min<rlim_t>(5000, (limit.rlim_cur - 100) / 2));
  const int threads = Threads();
  std::vector<NumberedAssignment> work;
  std::vector<engine::StopOrder> orders;
  const v1::Job job = ShellJob(absl::StrCat("echo > ", fifo, "; exec sleep 100000"));
  for (engine::Assignment& assignment : Assign(std::vector<v1::Job>(count, job))) {
    orders.push_back({.token = assignment.token, .grace = nanoseconds(0)});
    work.push_back({.assignment = std::move(assignment), .worker = 1});
  }
  executor().Start(std::move(work));
  std::vector<char> buffer(count);
  for (int begun = 0; begun < count;) {
    begun += static_cast<int>(read(reader.get(), buffer.data(), count - begun));
  }
  EXPECT_EQ(Threads(), threads);
  executor().Stop(orders);
  for (const engine::Outcome& outcome : sink_.TakeOutcomes(count)) {
    ASSERT_EQ(outcome.command->signal, SIGKILL) << outcome.failure->message;
  }
}

}  // namespace
}  // namespace jobrunner::workers
