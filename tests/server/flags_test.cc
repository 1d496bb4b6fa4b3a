#include "server/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace jobrunner::server {
namespace {

using ::testing::HasSubstr;

std::variant<Flags, ExitCode> Parsed(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "jobrunnerd");
  return ParseFlags(static_cast<int>(arguments.size()), arguments.data());
}

TEST(FlagsTest, NothingGivenIsNothingSet) {
  const Flags flags = std::get<Flags>(Parsed({}));
  EXPECT_EQ(flags.config, "");
  EXPECT_FALSE(flags.listen || flags.store || flags.workers_max || flags.exit_with_parent_fd);
  EXPECT_FALSE(flags.allow_any_command);
}

TEST(FlagsTest, EachFlagIsTaken) {
  const Flags flags = std::get<Flags>(Parsed(
      {"--config=a", "--listen=b:1", "--store=memory:", "--allow_any_command", "--workers_min=1",
       "--workers_max", "2", "--web_listen=c:1", "--log_level=debug", "--log_file=d", "--job_log=-",
       "--exit_with_parent_fd=3", "--remove_directory_on_exit=/e"}));
  EXPECT_EQ(flags.config, "a");
  EXPECT_EQ(flags.listen, "b:1");
  EXPECT_EQ(flags.store, "memory:");
  EXPECT_TRUE(flags.allow_any_command);
  EXPECT_EQ(flags.workers_min, 1);
  EXPECT_EQ(flags.workers_max, 2);
  EXPECT_EQ(flags.web_listen, "c:1");
  EXPECT_EQ(flags.log_level, "debug");
  EXPECT_EQ(flags.log_file, "d");
  EXPECT_EQ(flags.job_log, "-");
  EXPECT_EQ(flags.exit_with_parent_fd, 3);
  EXPECT_EQ(flags.remove_directory_on_exit, "/e");
}

int ExitCodeOf(std::vector<const char*> arguments) {
  const auto parsed = Parsed(std::move(arguments));
  const auto* exit = std::get_if<ExitCode>(&parsed);
  return exit == nullptr ? -1 : exit->code;
}

TEST(FlagsTest, AMistakeIsSaidAndEndsWith2) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(ExitCodeOf({"--listn=x"}), 2);
  EXPECT_EQ(ExitCodeOf({"--workers_max=many"}), 2);
  EXPECT_EQ(ExitCodeOf({"argument"}), 2);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("--listn=x"));
}

TEST(FlagsTest, HelpAndVersionEndWith0) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(ExitCodeOf({"--help"}), 0);
  EXPECT_EQ(ExitCodeOf({"--version"}), 0);
  const std::string said = testing::internal::GetCapturedStdout();
  EXPECT_THAT(said, HasSubstr("--remove_directory_on_exit"));
  EXPECT_THAT(said, HasSubstr("jobrunnerd 0."));
}

}  // namespace
}  // namespace jobrunner::server
