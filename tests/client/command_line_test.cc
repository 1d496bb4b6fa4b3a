#include "client/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/exit_code.h"

namespace jobrunner::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::variant<Invocation, int> Parse(std::vector<const char*> words) {
  words.insert(words.begin(), "jobrunner");
  return ParseCommandLine(static_cast<int>(words.size()), words.data());
}

Invocation Parsed(const std::vector<const char*>& words) {
  return std::get<Invocation>(Parse(words));
}

RunOptions ParsedRun(const std::vector<const char*>& words) {
  return std::get<RunOptions>(Parsed(words).command);
}

int Refused(const std::vector<const char*>& words) {
  testing::internal::CaptureStderr();
  const auto parsed = Parse(words);
  EXPECT_FALSE(testing::internal::GetCapturedStderr().empty());
  return std::holds_alternative<int>(parsed) ? std::get<int>(parsed) : -1;
}

TEST(CommandLine, OptionsOfTheCommandThatRunsAreItsOwn) {
  const RunOptions run = ParsedRun({"run", "-k", "-j", "3", "wc", "-l", "--tag", "{}"});
  EXPECT_THAT(run.command, ElementsAre("wc", "-l", "--tag", "{}"));
  EXPECT_TRUE(run.keep_order);
  EXPECT_FALSE(run.tag);
  EXPECT_EQ(run.jobs, 3);
}

TEST(CommandLine, ADashDashEndsTheOptionsOnce) {
  EXPECT_THAT(ParsedRun({"run", "-k", "--", "list", "--", "-x"}).command,
              ElementsAre("list", "--", "-x"));
}

TEST(CommandLine, ArgumentsFollowThreeColons) {
  const RunOptions run = ParsedRun({"run", "echo", ":::", "a", "--", "run"});
  EXPECT_THAT(run.command, ElementsAre("echo"));
  EXPECT_THAT(run.arguments.value(), ElementsAre("a", "--", "run"));
  EXPECT_THAT(ParsedRun({"run", "echo", ":::"}).arguments.value(), IsEmpty());
  EXPECT_FALSE(ParsedRun({"run", "echo"}).arguments.has_value());
}

TEST(CommandLine, WithoutACommandTheLinesAreCommands) {
  EXPECT_THAT(ParsedRun({"run"}).command, IsEmpty());
  EXPECT_THAT(ParsedRun({"run", ":::", "true"}).command, IsEmpty());
}

TEST(CommandLine, MistakesOfRunAreRefused) {
  EXPECT_EQ(Refused({"run", "--bogus", "wc"}), kUsage);
  EXPECT_EQ(Refused({"run", "-j", "x", "wc"}), kUsage);
  EXPECT_EQ(Refused({"run", "-j", "-1", "wc"}), kUsage);
  EXPECT_EQ(Refused({"run", "--retries", "0", "wc"}), kUsage);
  EXPECT_EQ(Refused({"run", "--timeout", "50%", "wc"}), kUsage);
  EXPECT_EQ(Refused({"run", "wc", ":::", "a", ":::", "b"}), kUsage);
}

TEST(CommandLine, CommonOptionsGoBeforeOrAfterTheCommand) {
  EXPECT_EQ(Parsed({"--server", "a:1", "list"}).common.server, "a:1");
  EXPECT_EQ(Parsed({"list", "--server=a:1"}).common.server, "a:1");
  EXPECT_EQ(Parsed({"list", "--output", "json"}).common.format, OutputFormat::kJson);
}

TEST(CommandLine, TheServerMayComeFromTheEnvironment) {
  setenv("JOBRUNNER_SERVER", "env:1", 1);
  EXPECT_EQ(Parsed({"list"}).common.server, "env:1");
  EXPECT_EQ(Parsed({"list", "--server", "a:1"}).common.server, "a:1");
  unsetenv("JOBRUNNER_SERVER");
}

TEST(CommandLine, DurationsAreSecondsOrHaveUnits) {
  EXPECT_EQ(ParsedRun({"run", "--timeout", "1.5", "x"}).timeout, absl::Milliseconds(1500));
  EXPECT_EQ(ParsedRun({"run", "--timeout", "2m", "x"}).timeout, absl::Minutes(2));
  EXPECT_EQ(ParsedRun({"run", "--timeout", "1d", "x"}).timeout, absl::Hours(24));
}

TEST(CommandLine, ListsMayBeRepeated) {
  const auto submit =
      std::get<SubmitOptions>(Parsed({"submit", "--label", "a=b", "--label", "c=d", "f"}).command);
  EXPECT_THAT(submit.batch.labels, ElementsAre("a=b", "c=d"));
  EXPECT_EQ(submit.file, "f");
  const auto cancel =
      std::get<CancelOptions>(Parsed({"cancel", "id", "--job", "1", "--job", "2"}).command);
  EXPECT_THAT(cancel.jobs, ElementsAre(1, 2));
  const auto results =
      std::get<ResultsOptions>(Parsed({"results", "id", "--kinds", "result,output"}).command);
  EXPECT_THAT(results.kinds, ElementsAre("result", "output"));
  EXPECT_TRUE(results.follow);
}

TEST(CommandLine, ResultsCanStopAtTheEndOfWhatThereIs) {
  const auto results =
      std::get<ResultsOptions>(Parsed({"results", "id", "--no-follow", "--after", "7"}).command);
  EXPECT_FALSE(results.follow);
  EXPECT_EQ(results.after_sequence, 7);
}

TEST(CommandLine, AdminHasCommandsOfItsOwn) {
  const auto admin = std::get<AdminOptions>(Parsed({"admin", "pause", "slow"}).command);
  EXPECT_EQ(std::get<PauseQueue>(admin).queue, "slow");
  const auto resize =
      std::get<AdminOptions>(Parsed({"admin", "resize", "--max", "4", "--server", "x:1"}).command);
  EXPECT_EQ(std::get<ResizePool>(resize).workers_max, 4);
  EXPECT_FALSE(std::get<ResizePool>(resize).workers_min.has_value());
}

TEST(CommandLine, WhatIsMissingOrUnknownIsRefused) {
  EXPECT_EQ(Refused({}), kUsage);
  EXPECT_EQ(Refused({"nonsense"}), kUsage);
  EXPECT_EQ(Refused({"results"}), kUsage);
  EXPECT_EQ(Refused({"list", "--output", "xml"}), kUsage);
  EXPECT_EQ(Refused({"admin"}), kUsage);
  EXPECT_EQ(Refused({"results", "id", "--after", "-1"}), kUsage);
}

TEST(CommandLine, HelpIsNoMistake) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(std::get<int>(Parse({"--help"})), 0);
  EXPECT_THAT(testing::internal::GetCapturedStdout(), testing::HasSubstr("Exit status"));
}

}  // namespace
}  // namespace jobrunner::client
