#include "server/state_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>

#include "support/temporary_directory.h"

namespace jobrunner::server {
namespace {

std::string Found(const std::map<std::string, std::string>& variables, bool is_root = false) {
  return StateDirectory(
      [&](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
      },
      is_root);
}

TEST(StateDirectory, IsSystemdsWhereThereIsOne) {
  EXPECT_EQ(Found({{"STATE_DIRECTORY", "/var/lib/mine"}, {"HOME", "/h"}}, true), "/var/lib/mine");
  EXPECT_EQ(Found({{"STATE_DIRECTORY", "/first:/second"}}), "/first");
}

TEST(StateDirectory, IsUnderVarForRoot) {
  EXPECT_EQ(Found({{"HOME", "/root"}}, true), "/var/lib/jobrunner");
}

TEST(StateDirectory, IsTheUsersOwnElse) {
  EXPECT_EQ(Found({{"XDG_STATE_HOME", "/s"}, {"HOME", "/h"}}), "/s/jobrunner");
  EXPECT_EQ(Found({{"XDG_STATE_HOME", "relative"}, {"HOME", "/h"}}), "/h/.local/state/jobrunner");
  EXPECT_EQ(Found({{"HOME", "/h"}}), "/h/.local/state/jobrunner");
}

TEST(StateDirectory, IsNowhereWithoutAHome) { EXPECT_EQ(Found({}), ""); }

TEST(MakeDirectoriesAbove, MakesWhatIsMissingForThisUserAlone) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.PathOf("a/b/store");
  ASSERT_TRUE(MakeDirectoriesAbove(path).ok());
  ASSERT_TRUE(MakeDirectoriesAbove(path).ok()) << "what is there stays as it is";
  struct stat made {};
  ASSERT_EQ(stat(directory.PathOf("a/b").c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 0777, 0700u);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(MakeDirectoriesAbove, SaysWhatCannotBeMade) {
  EXPECT_FALSE(MakeDirectoriesAbove("/proc/nothing/a/store").ok());
}

}  // namespace
}  // namespace jobrunner::server
