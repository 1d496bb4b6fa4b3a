#include "server/private_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_directory.h"

namespace jobrunner::server {
namespace {

class PrivateDirectoryTest : public ::testing::Test {
 protected:
  std::string Made(const std::string& name, mode_t mode) {
    std::string path = parent_.PathOf(name);
    mkdir(path.c_str(), 0700);
    chmod(path.c_str(), mode);
    return path;
  }

  test::TemporaryDirectory parent_;
};

TEST_F(PrivateDirectoryTest, ItGoesWithAllThatIsInItAndNothingElse) {
  const std::string path = Made("private", 0700);
  const std::string other = Made("other", 0700);
  std::ofstream(path + "/file") << "x";
  std::filesystem::create_directories(path + "/a/b");
  std::filesystem::create_symlink(other, path + "/link");
  const auto directory = PrivateDirectory::Take(path);
  ASSERT_TRUE(directory.ok()) << directory.status();
  directory->Remove();
  directory->Remove();
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(std::filesystem::exists(other));
}

TEST_F(PrivateDirectoryTest, OneThatOthersCanEnterIsNotTaken) {
  EXPECT_TRUE(absl::IsInvalidArgument(PrivateDirectory::Take(Made("open", 0755)).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(PrivateDirectory::Take("/").status()));
}

TEST_F(PrivateDirectoryTest, NeitherALinkNorAFileNorARelativePathIsTaken) {
  const std::string path = Made("private", 0700);
  std::filesystem::create_symlink(path, parent_.PathOf("link"));
  std::ofstream(path + "/file") << "x";
  EXPECT_FALSE(PrivateDirectory::Take(parent_.PathOf("link")).ok());
  EXPECT_FALSE(PrivateDirectory::Take(path + "/file").ok());
  EXPECT_FALSE(PrivateDirectory::Take(path + "/none").ok());
  EXPECT_FALSE(PrivateDirectory::Take(".").ok());
}

TEST_F(PrivateDirectoryTest, NoneIsNothingToRemove) { PrivateDirectory().Remove(); }

}  // namespace
}  // namespace jobrunner::server
