#include "workers/local_catalog.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "workers/assignments.h"

namespace jobrunner::workers {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class LocalCatalogTest : public testing::Test {
 protected:
  void Allow(const std::string& name, const std::string& path) {
    config::v1::AllowedCommand* command = config_.add_allow();
    command->set_name(name);
    command->set_path(path);
  }

  std::string LoadError() { return std::string(CommandCatalog::Load(config_).status().message()); }

  absl::Status Check(const v1::Job& job) {
    const CommandCatalog commands = CommandCatalog::Load(config_).value();
    return LocalCatalog(&handlers_, &commands).Check(job);
  }

  config::v1::Commands config_;
  HandlerRegistry handlers_;
};

TEST_F(LocalCatalogTest, ACommandThatIsNotAllowedIsRefused) {
  Allow("true", "/bin/true");
  EXPECT_TRUE(Check(CommandJob({"true"})).ok());
  const absl::Status status = Check(CommandJob({"/bin/true"}));
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), StartsWith("command.argv[0]: "));
}

TEST_F(LocalCatalogTest, ACommandOfAPoolIsForItsWorkerToAllow) {
  const CommandCatalog commands;
  v1::Job job = CommandJob({"nothing that is allowed here"});
  job.mutable_command()->set_pool("build");
  EXPECT_TRUE(
      LocalCatalog(&handlers_, &commands, LocalCatalog::RemoteHandlers::kAny).Check(job).ok());
  const absl::Status status = Check(job);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), StartsWith("command.pool: "));
}

TEST_F(LocalCatalogTest, WhereAnyIsAllowedOnlyPathsAndNamesAreCommands) {
  config_.set_allow_any(true);
  EXPECT_TRUE(Check(CommandJob({"/bin/true"})).ok());
  EXPECT_TRUE(Check(CommandJob({"true"})).ok());
  EXPECT_EQ(Check(CommandJob({"./true"})).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Check(CommandJob({""})).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Check(CommandJob({})).code(), StatusCode::kInvalidArgument);
}

TEST_F(LocalCatalogTest, VariablesThatTakeOverAProgramAreRefusedUnlessAnyCommandIsAllowed) {
  Allow("true", "/bin/true");
  for (const char* name : {"LD_PRELOAD", "LD_AUDIT", "BASH_ENV", "ENV", "IFS"}) {
    v1::Job job = CommandJob({"true"});
    (*job.mutable_command()->mutable_env())[name] = "x";
    config_.set_allow_any(false);
    const absl::Status status = Check(job);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(name));
    config_.set_allow_any(true);
    EXPECT_TRUE(Check(job).ok());
  }
}

TEST_F(LocalCatalogTest, AnUnknownHandlerIsRefused) {
  EXPECT_TRUE(Check(HandlerJob("echo")).ok());
  const absl::Status status = Check(HandlerJob("ecco"));
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), StartsWith("handler.name: "));
}

TEST_F(LocalCatalogTest, AJobWithoutWorkIsRefused) {
  EXPECT_EQ(Check(v1::Job()).code(), StatusCode::kInvalidArgument);
}

TEST_F(LocalCatalogTest, AllowedProgramsAreCheckedWhenTheConfigurationIsLoaded) {
  Allow("true", "/bin/true");
  Allow("passwd", "/etc/passwd");
  EXPECT_THAT(LoadError(), HasSubstr("commands.allow[1].path: \"/etc/passwd\" is not executable"));
}

TEST_F(LocalCatalogTest, ARelativePathIsRefused) {
  Allow("true", "bin/true");
  EXPECT_THAT(LoadError(), HasSubstr("commands.allow[0].path: \"bin/true\" is not an absolute"));
}

TEST_F(LocalCatalogTest, AMissingProgramIsRefused) {
  Allow("true", "/nowhere/true");
  EXPECT_THAT(LoadError(), HasSubstr("commands.allow[0].path: \"/nowhere/true\": No such file"));
}

TEST_F(LocalCatalogTest, ADirectoryIsNoProgram) {
  Allow("usr", "/usr");
  EXPECT_THAT(LoadError(), HasSubstr("is not a file"));
}

TEST_F(LocalCatalogTest, NamesMustBeSetAndDiffer) {
  Allow("", "/bin/true");
  EXPECT_THAT(LoadError(), HasSubstr("commands.allow[0].name: must be set"));
  config_.clear_allow();
  Allow("true", "/bin/true");
  Allow("true", "/bin/false");
  EXPECT_THAT(LoadError(), HasSubstr("commands.allow[1].name: \"true\" is there already"));
}

TEST_F(LocalCatalogTest, OutputBytesAreBounded) {
  config_.set_output_bytes_max(1 << 20);
  EXPECT_EQ(LoadError(), "");
  config_.set_output_bytes_max((1 << 20) + 1);
  EXPECT_THAT(LoadError(), HasSubstr("commands.output_bytes_max"));
  config_.set_output_bytes_max(-1);
  EXPECT_THAT(LoadError(), HasSubstr("commands.output_bytes_max"));
}

TEST_F(LocalCatalogTest, TheWorkingDirectoryMustBeADirectory) {
  config_.set_working_directory("/bin/true");
  EXPECT_THAT(LoadError(), HasSubstr("commands.working_directory"));
  config_.set_working_directory("tmp");
  EXPECT_THAT(LoadError(), HasSubstr("commands.working_directory"));
  config_.set_working_directory("/tmp");
  EXPECT_EQ(LoadError(), "");
}

TEST_F(LocalCatalogTest, AVariableWithoutANameIsRefused) {
  (*config_.mutable_env())["A=B"] = "x";
  EXPECT_THAT(LoadError(), HasSubstr("commands.env[\"A=B\"]"));
}

TEST_F(LocalCatalogTest, ProgramsAreFoundByNameAndByPath) {
  Allow("yes", "/bin/true");
  config_.set_allow_any(true);
  const CommandCatalog commands = CommandCatalog::Load(config_).value();
  EXPECT_EQ(commands.FindProgram("yes").value(), "/bin/true");
  EXPECT_EQ(commands.FindProgram("/opt/x").value(), "/opt/x");
  EXPECT_THAT(commands.FindProgram("sh").value(), testing::EndsWith("/sh"));
  EXPECT_EQ(commands.FindProgram("no-such-program").status().code(), StatusCode::kNotFound);
  EXPECT_THAT(commands.Names(), ElementsAre("yes"));
}

}  // namespace
}  // namespace jobrunner::workers
