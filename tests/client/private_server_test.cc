#include "client/private_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/strip.h"
#include "absl/synchronization/notification.h"

namespace jobrunner::client {
namespace {

using testing::HasSubstr;

// Starts a shell script in place of jobrunnerd.
class PrivateServerTest : public testing::Test {
 protected:
  PrivateServerTest() : directory_(testing::TempDir() + "private_server_XXXXXX") {
    EXPECT_NE(mkdtemp(directory_.data()), nullptr);
    setenv("XDG_RUNTIME_DIR", directory_.c_str(), 1);
  }
  ~PrivateServerTest() override { unsetenv("XDG_RUNTIME_DIR"); }

  // The script's $dir is the server's directory; it is to end when descriptor 3 does.
  PrivateServer::Options With(const std::string& script) {
    const std::string path = directory_ + "/server";
    std::ofstream(path) << "#!/bin/sh\ndir=${1#--config=}; dir=${dir%/*}\n" << script;
    chmod(path.c_str(), 0700);
    PrivateServer::Options options;
    options.workers_max = 7;
    options.environment = {{"NAME", "it's \"this\""}};
    options.program = path;
    return options;
  }

  static std::string Read(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  static std::string DirectoryOf(const PrivateServer& server) {
    return std::string(absl::StripSuffix(absl::StripPrefix(server.address(), "unix:"), "/socket"));
  }

  std::string directory_;
};

constexpr char kServe[] = "echo jobrunnerd: serving on unix:$dir/socket\ncat <&3\n";

TEST_F(PrivateServerTest, ServesInADirectoryThatOnlyItsUserCanEnter) {
  const auto server = PrivateServer::Start(With(kServe)).value();
  EXPECT_THAT(server->address(), HasSubstr("unix:" + directory_ + "/jobrunner-"));
  struct stat status;
  ASSERT_EQ(stat(DirectoryOf(*server).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(PrivateServerTest, ItsConfigurationHasWhatTheRunNeeds) {
  const auto server = PrivateServer::Start(With(kServe)).value();
  const std::string config = Read(DirectoryOf(*server) + "/config.json");
  EXPECT_THAT(config, HasSubstr("\"allowAny\":true"));
  EXPECT_THAT(config, HasSubstr("\"max\":7"));
  EXPECT_THAT(config, HasSubstr("\"NAME\":\"it's \\\"this\\\"\""));
}

TEST_F(PrivateServerTest, EndsWithItsObjectAndLeavesNoDirectory) {
  auto server =
      PrivateServer::Start(With(std::string(kServe) + "touch \"$dir/../ended\"\n")).value();
  const std::string directory = DirectoryOf(*server);
  server.reset();
  EXPECT_EQ(access((directory_ + "/ended").c_str(), F_OK), 0);
  EXPECT_NE(access(directory.c_str(), F_OK), 0);
}

TEST_F(PrivateServerTest, OneThatDoesNotStartIsToldWithItsReasons) {
  const auto server = PrivateServer::Start(With("echo no room here >&2; exit 3\n"));
  EXPECT_THAT(server.status().message(), HasSubstr("no room here"));
}

TEST_F(PrivateServerTest, OneThatEndsByItselfIsTold) {
  const auto server =
      PrivateServer::Start(
          With("echo jobrunnerd: serving on unix:$dir/socket; echo broken >&2; exec 1>&-\n"))
          .value();
  absl::Notification ended;
  std::string said;
  server->Watch([&](std::string text) {
    said = std::move(text);
    ended.Notify();
  });
  ended.WaitForNotification();
  EXPECT_EQ(said, "broken\n");
}

TEST_F(PrivateServerTest, ItHasDescriptorsZeroToThreeAlone) {
  const int leaked = dup(STDERR_FILENO);
  ASSERT_LT(leaked, 10) << "the test sees what the shell does not hide";
  const auto server =
      PrivateServer::Start(
          With("ls /proc/$$/fd > $dir/../all; grep -x '[0-9]' $dir/../all > $dir/../fds\n" +
               std::string(kServe)))
          .value();
  close(leaked);
  // The shell keeps its own above 9.
  EXPECT_EQ(Read(directory_ + "/fds"), "0\n1\n2\n3\n");
}

TEST_F(PrivateServerTest, AProgramThatIsNotThereIsNamed) {
  PrivateServer::Options options;
  options.program = "/no/such/jobrunnerd";
  EXPECT_THAT(PrivateServer::Start(options).status().message(), HasSubstr("/no/such/jobrunnerd"));
}

}  // namespace
}  // namespace jobrunner::client
