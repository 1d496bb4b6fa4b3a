#include "base/rotating_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "support/temporary_directory.h"

namespace jobrunner::base {
namespace {

class RotatingFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<RotatingFile> Opened(off_t bytes_max, int files_kept) {
    auto file = RotatingFile::Open(path_, bytes_max, files_kept);
    EXPECT_TRUE(file.ok()) << file.status();
    return *std::move(file);
  }
  std::string Contents(const std::string& suffix = "") { return test::ReadFile(path_ + suffix); }
  bool Exists(const std::string& suffix) { return std::filesystem::exists(path_ + suffix); }

  test::TemporaryDirectory directory_;
  const std::string path_ = directory_.PathOf("server.log");
};

TEST_F(RotatingFileTest, AppendsToWhatIsThere) {
  EXPECT_TRUE(Opened(100, 1)->Write("one\n"));
  EXPECT_TRUE(Opened(100, 1)->Write("two\n"));
  EXPECT_EQ(Contents(), "one\ntwo\n");
}

TEST_F(RotatingFileTest, AFullFileIsPutAside) {
  auto file = Opened(8, 2);
  for (const char* line : {"1111\n", "22\n", "3333\n", "4444\n"}) EXPECT_TRUE(file->Write(line));
  EXPECT_EQ(Contents(), "4444\n");
  EXPECT_EQ(Contents(".1"), "3333\n");
  EXPECT_EQ(Contents(".2"), "1111\n22\n");
}

TEST_F(RotatingFileTest, TheOldestGoes) {
  auto file = Opened(5, 1);
  for (const char* line : {"1111\n", "2222\n", "3333\n"}) EXPECT_TRUE(file->Write(line));
  EXPECT_EQ(Contents(), "3333\n");
  EXPECT_EQ(Contents(".1"), "2222\n");
  EXPECT_FALSE(Exists(".2"));
  EXPECT_FALSE(Exists(".next"));
}

TEST_F(RotatingFileTest, ALineLongerThanAFileHasAFileOfItsOwn) {
  auto file = Opened(4, 1);
  EXPECT_TRUE(file->Write("a line that is long\n"));
  EXPECT_TRUE(file->Write("b\n"));
  EXPECT_EQ(Contents(), "b\n");
  EXPECT_EQ(Contents(".1"), "a line that is long\n");
}

TEST_F(RotatingFileTest, WhatWasThereBeforeCounts) {
  Opened(8, 1)->Write("1111\n");
  Opened(8, 1)->Write("2222\n");
  EXPECT_EQ(Contents(), "2222\n");
}

TEST_F(RotatingFileTest, GoesOnInTheOldFileWhenANewOneCannotBeOpened) {
  auto file = Opened(4, 1);
  std::filesystem::create_directory(path_ + ".next");
  EXPECT_TRUE(file->Write("1111\n"));
  EXPECT_TRUE(file->Write("2222\n"));
  EXPECT_EQ(Contents(), "1111\n2222\n");
}

TEST_F(RotatingFileTest, AFileThatCannotBeOpenedIsAnErrorThatNamesIt) {
  const auto file = RotatingFile::Open(directory_.PathOf("none/server.log"), 10, 1);
  EXPECT_EQ(file.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(std::string(file.status().message()).find("none/server.log"), std::string::npos);
}

TEST_F(RotatingFileTest, AFifoWithoutAReaderIsAnErrorAndDoesNotBlock) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_FALSE(RotatingFile::Open(path_, 10, 1).ok());
}

TEST_F(RotatingFileTest, AFullDiskIsToldAndLeavesNothing) {
  auto file = RotatingFile::Open("/dev/full", 1, 1);
  ASSERT_TRUE(file.ok());
  EXPECT_FALSE((*file)->Write("line\n"));
  EXPECT_FALSE((*file)->Write("line\n"));
}

}  // namespace
}  // namespace jobrunner::base
