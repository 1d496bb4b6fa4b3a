// What commands are given, and what becomes of what they say and how they end.

#include "workers/command_executor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "workers/command_fixture.h"

namespace jobrunner::workers {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class CommandExecutorTest : public CommandTest {};

TEST_F(CommandExecutorTest, ACommandThatSucceedsHasItsOutputs) {
  const engine::AttemptToken token = Start(ShellJob("echo out; echo err >&2"));
  const engine::Outcome outcome = sink_.TakeOutcome();
  EXPECT_EQ(outcome.token, token);
  EXPECT_EQ(outcome.worker, 3);
  EXPECT_EQ(outcome.failure, nullptr);
  EXPECT_EQ(outcome.output, "out\n");
  ASSERT_NE(outcome.command, nullptr);
  EXPECT_EQ(outcome.command->error_output, "err\n");
  EXPECT_EQ(outcome.command->output_bytes, 4);
  EXPECT_EQ(outcome.command->error_output_bytes, 4);
  EXPECT_EQ(outcome.command->output_omitted, 0);
  EXPECT_EQ(outcome.command->exit_code, 0);
  EXPECT_EQ(outcome.command->signal, 0);
  EXPECT_GT(outcome.run_time, nanoseconds(0));
  EXPECT_GT(outcome.command->max_resident_bytes, 1 << 16);
}

TEST_F(CommandExecutorTest, ArgumentsArePassedAsTheyAreWithoutAShell) {
  const engine::Outcome outcome =
      Run(CommandJob({"/usr/bin/printf", "[%s]", "a b", "$HOME", "*", ""}));
  EXPECT_EQ(outcome.output, "[a b][$HOME][*][]");
}

TEST_F(CommandExecutorTest, LongArgumentListsArrive) {
  std::vector<std::string> argv = {"/bin/sh", "-c", "echo ${#1} $#", "sh"};
  argv.resize(12, std::string(80'000, 'x'));
  EXPECT_EQ(Run(CommandJob(argv)).output, "80000 8\n");
}

TEST_F(CommandExecutorTest, TheLastBodyThatTravelsInlineAndTheFirstThatDoesNotArriveAlike) {
  // The rest of the body is shorter than a thousand bytes.
  for (size_t size = kBodyBytesInline - 1000; size < kBodyBytesInline + 10; size += 5) {
    const engine::Outcome outcome =
        Run(CommandJob({"/bin/sh", "-c", "echo ${#1}", "sh", std::string(size, 'x')}));
    ASSERT_EQ(outcome.output, absl::StrCat(size, "\n"));
  }
}

TEST_F(CommandExecutorTest, OutputIsBytesNotText) {
  EXPECT_EQ(RunShell(R"(printf 'a\000\377b')").output, std::string("a\0\xff"
                                                                   "b",
                                                                   4));
}

TEST_F(CommandExecutorTest, StandardInputIsGiven) {
  v1::Job job = CommandJob({"/bin/cat"});
  job.mutable_command()->set_stdin(std::string("in\0put", 6));
  EXPECT_EQ(Run(job).output, std::string("in\0put", 6));
}

TEST_F(CommandExecutorTest, StandardInputThatIsNotGivenIsEmpty) {
  EXPECT_EQ(RunShell("readlink /proc/self/fd/0; cat").output, "/dev/null\n");
}

TEST_F(CommandExecutorTest, StandardInputThatIsNeverReadHoldsNothingUp) {
  v1::Job job = CommandJob({"/bin/true"});
  job.mutable_command()->set_stdin(std::string(1 << 20, 'x'));
  EXPECT_EQ(Run(job).failure, nullptr);
}

TEST_F(CommandExecutorTest, TheCommandHasTheThreeStandardDescriptorsAndNoOther) {
  // One of ours that is not marked to be closed.
  const UniqueFd careless(open("/dev/null", O_RDONLY));
  // ls has a fourth, for the directory that it lists.
  EXPECT_EQ(Run(CommandJob({"/bin/ls", "/proc/self/fd"})).output, "0\n1\n2\n3\n");
}

TEST_F(CommandExecutorTest, TheEnvironmentIsWhatTheContractSaysAndNothingElse) {
  setenv("SECRET", "of the server", 1);
  (*config().mutable_env())["PATH"] = "/opt/bin:/bin";
  (*config().mutable_env())["TOOL"] = "configured";
  v1::Job job = CommandJob({"/usr/bin/env"});
  job.set_key("alice");
  (*job.mutable_command()->mutable_env())["TOOL"] = "chosen by the job";
  (*job.mutable_command()->mutable_env())["EMPTY"] = "";
  engine::Assignment assignment = Assign(job);
  assignment.attempt = 2;
  assignment.wall_deadline = base::WallTime(std::chrono::milliseconds(1'767'225'600'250));
  Start(std::move(assignment));
  std::vector<std::string> lines =
      absl::StrSplit(sink_.TakeOutcome().output, '\n', absl::SkipEmpty());
  std::sort(lines.begin(), lines.end());
  EXPECT_THAT(lines, ElementsAre("EMPTY=", "HOME=/", "JOBRUNNER_ATTEMPT=2",
                                 absl::StrCat("JOBRUNNER_BATCH_ID=", kBatchId),
                                 "JOBRUNNER_DEADLINE=2026-01-01T00:00:00.250Z",
                                 "JOBRUNNER_JOB_INDEX=0", "JOBRUNNER_JOB_KEY=alice", "LANG=C.UTF-8",
                                 "PATH=/opt/bin:/bin", "TMPDIR=/tmp", "TOOL=chosen by the job"));
}

TEST_F(CommandExecutorTest, WithoutADeadlineThereIsNoVariableForIt) {
  EXPECT_EQ(RunShell("echo ${JOBRUNNER_DEADLINE-none}").output, "none\n");
}

TEST_F(CommandExecutorTest, NoSignalIsBlockedOrIgnored) {
  signal(SIGPIPE, SIG_IGN);
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, &before);
  const engine::Outcome outcome =
      Run(CommandJob({"/bin/grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"}));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(outcome.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(CommandExecutorTest, TheCommandLeadsASessionAndAProcessGroup) {
  const std::string script =
      "read -r pid x x x group session x < /proc/$$/stat; "
      "echo $((pid == group)) $((pid == session))";
  EXPECT_EQ(RunShell(script).output, "1 1\n");
}

TEST_F(CommandExecutorTest, TheCommandHasTheLimitOfOpenFilesThatTheServerBeganWith) {
  executor();
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(limit.rlim_cur, limit.rlim_max);
  const std::string soft = RunShell("ulimit -Sn").output;
  EXPECT_NE(soft, "");
}

TEST_F(CommandExecutorTest, TheWorkingDirectoryIsTheJobsElseTheConfigurations) {
  config().set_working_directory("/usr");
  EXPECT_EQ(RunShell("pwd").output, "/usr\n");
  v1::Job job = ShellJob("pwd");
  job.mutable_command()->set_working_directory("/tmp");
  EXPECT_EQ(Run(job).output, "/tmp\n");
}

TEST_F(CommandExecutorTest, ExitCodesAreFailures) {
  for (const int code : {1, 2, 126, 127, 255}) {
    const engine::Outcome outcome = RunShell(absl::StrCat("exit ", code));
    ASSERT_NE(outcome.failure, nullptr);
    EXPECT_EQ(outcome.failure->reason, v1::REASON_EXIT_CODE);
    EXPECT_EQ(outcome.failure->code, 2);
    EXPECT_FALSE(outcome.failure->final);
    EXPECT_EQ(outcome.failure->message, absl::StrCat("exited with code ", code));
    EXPECT_EQ(outcome.command->exit_code, code);
    EXPECT_EQ(outcome.command->signal, 0);
  }
}

TEST_F(CommandExecutorTest, EachSignalThatEndsACommandIsTold) {
  for (int number = 1; number < SIGSYS + 1; ++number) {
    // These do not end a process.
    if (number >= SIGCHLD && number <= SIGURG) continue;
    if (number == SIGWINCH || number == SIGSTKFLT) continue;
    const engine::Outcome outcome = RunShell(absl::StrCat("ulimit -c 0; kill -", number, " $$"));
    ASSERT_NE(outcome.failure, nullptr) << number;
    EXPECT_EQ(outcome.failure->reason, v1::REASON_SIGNAL);
    EXPECT_EQ(outcome.command->signal, number);
    EXPECT_EQ(outcome.command->exit_code, 0);
    EXPECT_THAT(outcome.failure->message, HasSubstr(absl::StrCat("signal ", number, " (")));
  }
}

class SpawnFailureTest : public CommandTest {
 protected:
  void ExpectRefused(const v1::Job& job, const std::string& message) {
    const engine::Outcome outcome = Run(job);
    ASSERT_NE(outcome.failure, nullptr);
    EXPECT_EQ(outcome.failure->reason, v1::REASON_SPAWN_FAILED);
    EXPECT_EQ(outcome.failure->code, 9);
    EXPECT_TRUE(outcome.failure->final);
    EXPECT_THAT(outcome.failure->message, HasSubstr(message));
    // The executor goes on.
    EXPECT_EQ(Run(CommandJob({"/bin/true"})).failure, nullptr);
  }
};

TEST_F(SpawnFailureTest, AMissingProgramIsNamed) {
  ExpectRefused(CommandJob({"/nowhere/prog"}), "\"/nowhere/prog\": No such file or directory");
}

TEST_F(SpawnFailureTest, ANameThatThePathDoesNotKnowIsNamed) {
  ExpectRefused(CommandJob({"no-such-program"}), "\"no-such-program\" was not found");
}

TEST_F(SpawnFailureTest, AFileThatMayNotBeExecutedIsNamed) {
  ExpectRefused(CommandJob({MakeScript("data", "#!/bin/sh\n", 0644)}), "Permission denied");
}

TEST_F(SpawnFailureTest, AScriptWithoutAnInterpreterIsNotGivenToAShell) {
  ExpectRefused(CommandJob({MakeScript("script", "echo hello\n")}),
                "neither a program nor a script");
}

TEST_F(SpawnFailureTest, AMissingInterpreterIsToldFromAMissingScript) {
  ExpectRefused(CommandJob({MakeScript("script", "#!/nowhere/sh\n")}), "the interpreter");
}

TEST_F(SpawnFailureTest, AMissingWorkingDirectoryIsNamed) {
  v1::Job job = CommandJob({"/bin/true"});
  job.mutable_command()->set_working_directory("/nowhere");
  ExpectRefused(job, "the working directory cannot be entered: \"/nowhere\": No such file");
}

TEST_F(SpawnFailureTest, AFileThatIsBeingWrittenIsTriedAgainAndThenNamed) {
  const std::string path = PathOf("busy");
  std::filesystem::copy_file("/bin/true", path);
  const UniqueFd writer(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  ExpectRefused(CommandJob({path}), "Text file busy");
}

// Many are on their way to execute at once.
TEST_F(SpawnFailureTest, ThoseThatCannotStartAreToldFromThoseBesideThem) {
  constexpr int kEach = 200;
  std::map<uint64_t, std::string> expected;
  for (int i = 0; i < kEach; ++i) {
    const std::string missing = absl::StrCat("/nowhere/", i);
    expected[Start(CommandJob({missing})).number] = missing;
    expected[Start(CommandJob({"/bin/echo", absl::StrCat("said ", i)})).number] =
        absl::StrCat("said ", i);
  }
  for (const engine::Outcome& outcome : sink_.TakeOutcomes(2 * kEach)) {
    const std::string& text = expected.at(outcome.token.number);
    if (text.starts_with("/nowhere")) {
      ASSERT_NE(outcome.failure, nullptr) << text;
      EXPECT_EQ(outcome.failure->message, absl::StrCat("the command cannot be executed: \"", text,
                                                       "\": No such file or directory"));
    } else {
      EXPECT_EQ(outcome.output, text + "\n");
    }
  }
}

TEST_F(SpawnFailureTest, AnAllowedCommandRunsByItsName) {
  config().set_allow_any(false);
  config().add_allow()->set_name("greet");
  config().mutable_allow(0)->set_path(MakeScript("hello", "#!/bin/sh\necho hello $0\n"));
  EXPECT_THAT(Run(CommandJob({"greet"})).output, StartsWith("hello"));
}

TEST_F(CommandExecutorTest, WhenNoDescriptorsAreLeftTheAttemptFailsAndTheExecutorGoesOn) {
  Run(CommandJob({"/bin/true"}));
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = 3;
  setrlimit(RLIMIT_NOFILE, &none);
  const engine::Outcome outcome = Run(CommandJob({"/bin/true"}));
  setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_NE(outcome.failure, nullptr);
  EXPECT_EQ(outcome.failure->code, 8);
  EXPECT_FALSE(outcome.failure->final);
  EXPECT_THAT(outcome.failure->message, HasSubstr("Too many open files"));
  EXPECT_EQ(Run(CommandJob({"/bin/true"})).failure, nullptr);
}

class CommandOutputTest : public CommandTest {};

constexpr char kTenMegabytesOnBoth[] =
    "for i in $(seq 100); do head -c 100000 /dev/zero | tr '\\0' o; "
    "head -c 100000 /dev/zero | tr '\\0' e >&2; done; echo end; echo end >&2";

TEST_F(CommandOutputTest, BothOutputsAreReadAllTheTimeAndKeptUpToTheCap) {
  config().set_output_bytes_max(1000);
  const engine::Outcome outcome = RunShell(kTenMegabytesOnBoth);
  EXPECT_EQ(outcome.failure, nullptr);
  EXPECT_EQ(outcome.output, std::string(996, 'o') + "end\n");
  EXPECT_EQ(outcome.command->error_output, std::string(996, 'e') + "end\n");
  EXPECT_EQ(outcome.command->output_bytes, 10'000'004);
  EXPECT_EQ(outcome.command->output_omitted, 10'000'004 - 1000);
  EXPECT_EQ(outcome.command->error_output_bytes, 10'000'004);
  EXPECT_EQ(outcome.command->error_output_omitted, 10'000'004 - 1000);
}

TEST_F(CommandOutputTest, StreamedOutputIsShownWhileTheCommandRuns) {
  const std::string gate = MakeFifo("gate");
  engine::Assignment assignment =
      Assign(ShellJob(absl::StrCat("echo one; read x < ", gate, "; echo two >&2")));
  assignment.stream_output = true;
  Start(std::move(assignment));
  EXPECT_EQ(sink_.TakeChunk().output, "one\n");
  Release(gate);
  EXPECT_EQ(sink_.TakeChunk().error_output, "two\n");
  const engine::Outcome outcome = sink_.TakeOutcome();
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(outcome.command->error_output, "");
  EXPECT_EQ(outcome.command->output_bytes, 4);
  EXPECT_EQ(outcome.command->error_output_bytes, 4);
  EXPECT_EQ(outcome.command->output_omitted, 0);
}

TEST_F(CommandOutputTest, StreamedOutputEndsAtTheCapAndTheLastPieceSaysSo) {
  config().set_output_bytes_max(100'000);
  engine::Assignment assignment = Assign(ShellJob("head -c 300000 /dev/zero"));
  assignment.stream_output = true;
  Start(std::move(assignment));
  const engine::Outcome outcome = sink_.TakeOutcome();
  EXPECT_EQ(outcome.command->output_bytes, 300'000);
  EXPECT_EQ(outcome.command->output_omitted, 200'000);
  size_t shown = 0;
  int truncations = 0;
  const std::vector<engine::OutputChunk> chunks = sink_.chunks();
  for (const engine::OutputChunk& chunk : chunks) {
    shown += chunk.output.size();
    truncations += chunk.truncated ? 1 : 0;
  }
  EXPECT_EQ(shown, 100'000);
  EXPECT_EQ(truncations, 1);
  EXPECT_TRUE(chunks.back().truncated);
}

class CommandStopTest : public CommandTest {};

TEST_F(CommandStopTest, ACommandIsAskedAndItsLastWordsAreKept) {
  const std::string fifo = MakeFifo("fifo");
  const engine::AttemptToken token = Start(ShellJob(absl::StrCat(
      "trap 'echo bye; exit 7' TERM; echo hi; echo $$ > ", fifo, "; sleep 1000 & wait")));
  AwaitProcess(fifo);
  Stop(token, hours(1));
  const engine::Outcome outcome = sink_.TakeOutcome();
  EXPECT_EQ(outcome.output, "hi\nbye\n");
  EXPECT_EQ(outcome.command->exit_code, 7);
  EXPECT_FALSE(outcome.abandoned);
}

TEST_F(CommandStopTest, ACommandThatIgnoresItsStopIsForcedAfterTheGrace) {
  const std::string fifo = MakeFifo("fifo");
  const engine::AttemptToken token = Start(
      ShellJob(absl::StrCat("trap '' TERM; echo $$ > ", fifo, "; while :; do sleep 1000; done")));
  AwaitProcess(fifo);
  Stop(token, milliseconds(1));
  EXPECT_EQ(sink_.TakeOutcome().command->signal, SIGKILL);
}

TEST_F(CommandStopTest, AGraceOfZeroForcesAtOnce) {
  const engine::AttemptToken token = Start(CommandJob({"/bin/sleep", "1000"}));
  Stop(token, nanoseconds(0));
  const engine::Outcome outcome = sink_.TakeOutcome();
  ASSERT_NE(outcome.failure, nullptr);
}

// Some are on their way to execute: they have no process group of their own yet.
TEST_F(CommandStopTest, ACommandIsAskedHoweverEarlyTheStopComes) {
  constexpr int kCommands = 200;
  for (int i = 0; i < kCommands; ++i) Stop(Start(CommandJob({"/bin/sleep", "1000"})), hours(1));
  int asked = 0;
  for (const engine::Outcome& outcome : sink_.TakeOutcomes(kCommands)) {
    ASSERT_NE(outcome.failure, nullptr);
    // The rest had not been handed to the spawner.
    if (outcome.command != nullptr && outcome.command->signal == SIGTERM) ++asked;
  }
  EXPECT_GT(asked, 0);
}

TEST_F(CommandStopTest, AShorterGraceShortensALongerOne) {
  const std::string fifo = MakeFifo("fifo");
  const engine::AttemptToken token = Start(
      ShellJob(absl::StrCat("trap '' TERM; echo $$ > ", fifo, "; while :; do sleep 1000; done")));
  AwaitProcess(fifo);
  Stop(token, hours(1));
  Stop(token, milliseconds(1));
  Stop(token, hours(2));
  EXPECT_EQ(sink_.TakeOutcome().command->signal, SIGKILL);
}

TEST_F(CommandStopTest, AStoppedProcessIsContinuedToHeedItsStop) {
  const std::string fifo = MakeFifo("fifo");
  const engine::AttemptToken token =
      Start(ShellJob(absl::StrCat("echo $$ > ", fifo, "; kill -STOP $$; sleep 1000")));
  AwaitProcess(fifo);
  Stop(token, hours(1));
  EXPECT_EQ(sink_.TakeOutcome().command->signal, SIGTERM);
}

TEST_F(CommandStopTest, TheWholeProcessGroupIsAsked) {
  const std::string fifo = MakeFifo("fifo");
  const engine::AttemptToken token =
      Start(ShellJob(absl::StrCat("sh -c 'trap \"echo child; exit\" TERM; echo $$ > ", fifo,
                                  "; sleep 1000 & wait'; sleep 1000")));
  const UniqueFd child = AwaitProcess(fifo);
  Stop(token, hours(1));
  sink_.TakeOutcome();
  EXPECT_TRUE(HasEnded(child));
}

TEST_F(CommandStopTest, AStopOfWhatHasEndedIsIgnored) {
  const engine::AttemptToken token = Start(CommandJob({"/bin/true"}));
  sink_.TakeOutcome();
  Stop(token, nanoseconds(0));
  EXPECT_EQ(Run(CommandJob({"/bin/true"})).failure, nullptr);
}

}  // namespace
}  // namespace jobrunner::workers
