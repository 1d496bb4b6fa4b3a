#include "client/run_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

#include "absl/strings/str_split.h"
#include "client/fake_job_service.h"
#include "client/library/client.h"

namespace jobrunner::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

// The last word of a command.
std::string Argument(const v1::Job& job) { return *job.command().argv().rbegin(); }

// A job whose argument is a number fails with it; the others say their argument.
std::optional<v1::JobResult> RunFake(const v1::Job& job) {
  const std::string argument = Argument(job);
  if (argument == "hang") return std::nullopt;
  const int code = atoi(argument.c_str());
  return code == 0 ? Succeeded(argument + "\n") : FailedWith(code);
}

// Runs a session against the fake server, its output in a file.
class RunSessionTest : public testing::Test {
 protected:
  RunSessionTest() : output_(tmpfile()), notes_(tmpfile()) {}
  ~RunSessionTest() override {
    fclose(output_);
    fclose(notes_);
  }

  void Make() {
    options_.reading.set_follow(true);
    out_.emplace(fileno(output_));
    err_.emplace(fileno(notes_));
    run_output_.emplace(show_, nullptr, &*out_, &*err_);
    builder_.emplace(CommandTemplate({"say"}, false), JobBuilder::Surroundings{.directory = "/"});
    session_.emplace(options_, &client_, &*builder_, &*run_output_);
  }

  absl::StatusOr<int> RunWith(std::vector<std::string> arguments) {
    Make();
    ArgumentSource source(std::move(arguments));
    return session_->Run(&source);
  }

  static std::string Contents(FILE* file) {
    std::string text(static_cast<size_t>(lseek(fileno(file), 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(fileno(file), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }
  std::string Output() { return Contents(output_); }
  std::vector<std::string> Lines() { return absl::StrSplit(Output(), '\n', absl::SkipEmpty()); }

  FakeJobService service_{RunFake};
  Client client_{service_.address(), {.pause_min = {}, .pause_max = {}}};
  RunSession::Options options_;
  RunOutput::Options show_;
  FILE* output_;
  FILE* notes_;
  std::optional<OutputStream> out_;
  std::optional<OutputStream> err_;
  std::optional<RunOutput> run_output_;
  std::optional<JobBuilder> builder_;
  std::optional<RunSession> session_;
};

TEST_F(RunSessionTest, ShowsWhatEachJobWrote) {
  EXPECT_EQ(RunWith({"a", "b", "c"}).value(), 0);
  EXPECT_THAT(Lines(), UnorderedElementsAre("a", "b", "c"));
}

TEST_F(RunSessionTest, TheExitStatusCountsFailures) {
  EXPECT_EQ(RunWith({"a", "3", "b", "4"}).value(), 2);
}

TEST_F(RunSessionTest, TheExitStatusEndsCountingAtAHundredAndOne) {
  EXPECT_EQ(RunWith(std::vector<std::string>(150, "1")).value(), 101);
}

TEST_F(RunSessionTest, NoArgumentsAreNoJobs) {
  EXPECT_EQ(RunWith({}).value(), 0);
  EXPECT_TRUE(service_.submits().empty());
}

TEST_F(RunSessionTest, LargeInputsGoInSeveralBatchesAndNothingIsLost) {
  options_.admission.batch_jobs_max = 10;
  std::vector<std::string> arguments;
  for (int i = 0; i < 95; ++i) arguments.push_back("x" + std::to_string(i));
  EXPECT_EQ(RunWith(arguments).value(), 0);
  EXPECT_THAT(Lines(), testing::UnorderedElementsAreArray(arguments));
  EXPECT_EQ(service_.submits().size(), 10u);
}

TEST_F(RunSessionTest, KeepOrderHoldsOverBatches) {
  options_.admission = {Admission::Mode::kShared, 3, 4};
  show_.keep_order = true;
  std::vector<std::string> arguments;
  for (int i = 0; i < 40; ++i) arguments.push_back("x" + std::to_string(i));
  EXPECT_EQ(RunWith(arguments).value(), 0);
  EXPECT_EQ(Lines(), arguments);
}

TEST_F(RunSessionTest, ABrokenStreamLosesAndRepeatsNothing) {
  const grpc::Status away(grpc::StatusCode::UNAVAILABLE, "away");
  service_.BreakNextStreams({{1, away}, {0, away}, {2, away}});
  show_.keep_order = true;
  EXPECT_EQ(RunWith({"a", "b", "c", "d"}).value(), 0);
  EXPECT_THAT(Lines(), ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(service_.breaks_left(), 0u);
}

TEST_F(RunSessionTest, TagsGoBeforeEachLine) {
  show_.tag = true;
  EXPECT_EQ(RunWith({"a"}).value(), 0);
  EXPECT_EQ(Output(), "a\ta\n");
}

TEST_F(RunSessionTest, HaltNowCancelsAndExitsLikeTheFailedJob) {
  options_.halt = HaltPolicy::Parse("now,fail=1").value();
  EXPECT_EQ(RunWith({"hang", "7", "hang"}).value(), 7);
  EXPECT_EQ(service_.cancels().size(), 1u);
}

TEST_F(RunSessionTest, HaltSoonStartsNothingMoreAndCancelsNothing) {
  options_.halt = HaltPolicy::Parse("soon,fail=1").value();
  options_.admission = {Admission::Mode::kDirect, 1, 100};
  EXPECT_EQ(RunWith({"a", "5", "never"}).value(), 5);
  EXPECT_EQ(Output(), "a\n");
  EXPECT_TRUE(service_.cancels().empty());
}

TEST_F(RunSessionTest, HaltOnSuccessIsASuccess) {
  options_.halt = HaltPolicy::Parse("now,success=1").value();
  EXPECT_EQ(RunWith({"3", "a", "hang"}).value(), 0);
}

TEST_F(RunSessionTest, ASignalCancelsAndWaitsForTheEnd) {
  Make();
  ArgumentSource source(std::vector<std::string>{"a", "hang"});
  std::thread other([&] {
    service_.AwaitBatch(0);
    session_->Signalled(SIGINT);
  });
  EXPECT_EQ(session_->Run(&source).value(), 130);
  other.join();
  ASSERT_EQ(service_.cancels().size(), 1u);
  EXPECT_THAT(service_.cancels()[0].reason(), HasSubstr("SIGINT"));
  EXPECT_EQ(Output(), "a\n");
}

TEST_F(RunSessionTest, ALineRunsWhileTheInputStaysOpen) {
  Make();
  std::array<int, 2> pipe_fds;
  ASSERT_EQ(pipe(pipe_fds.data()), 0);
  ArgumentSource source(pipe_fds[0], '\n', [&] { session_->ArgumentsCame(); });
  std::thread writer([&] {
    ASSERT_EQ(write(pipe_fds[1], "a\n", 2), 2);
    service_.AwaitBatch(0);
    ASSERT_EQ(write(pipe_fds[1], "b\n", 2), 2);
    service_.AwaitBatch(1);
    close(pipe_fds[1]);
  });
  EXPECT_EQ(session_->Run(&source).value(), 0);
  writer.join();
  close(pipe_fds[0]);
  EXPECT_THAT(Lines(), UnorderedElementsAre("a", "b"));
}

TEST_F(RunSessionTest, ARefusedBatchIsAnErrorOfTheRun) {
  service_.RefuseNextSubmits({{{grpc::StatusCode::PERMISSION_DENIED, "not allowed"}, false}});
  const auto outcome = RunWith({"a"});
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(RunSessionTest, AnArgumentThatIsNotUtf8IsNamed) {
  const auto outcome = RunWith({"a", "caf\xe9"});
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(outcome.status().message(), HasSubstr("argument 2"));
}

TEST_F(RunSessionTest, ThePrivateServersEndIsTheEnd) {
  Make();
  ArgumentSource source(std::vector<std::string>{"hang"});
  std::thread other([&] {
    service_.AwaitBatch(0);
    session_->ServerEnded("out of memory");
  });
  const auto outcome = session_->Run(&source);
  other.join();
  EXPECT_THAT(outcome.status().message(), HasSubstr("out of memory"));
}

TEST_F(RunSessionTest, OutputThatWasCutIsSaidAndExitsSo) {
  Make();
  ArgumentSource source(std::vector<std::string>{"hang"});
  std::thread other([&] {
    const std::string batch = service_.AwaitBatch(0);
    v1::JobResult result = Succeeded("first last");
    result.set_output_truncated(true);
    result.set_output_omitted(1'000);
    service_.EndJob(batch, 0, result);
  });
  EXPECT_EQ(session_->Run(&source).value(), 204);
  other.join();
  EXPECT_THAT(Contents(notes_), HasSubstr("1000 bytes"));
}

}  // namespace
}  // namespace jobrunner::client
