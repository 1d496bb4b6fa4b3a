#include "client/program_path.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

namespace jobrunner::client {
namespace {

// A directory with a program, a file that is none, and a directory in it.
class ProgramPathTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "program_path_XXXXXX";
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
    std::ofstream(directory_ + "/program") << "#!/bin/sh\n";
    chmod((directory_ + "/program").c_str(), 0755);
    std::ofstream(directory_ + "/data") << "no program";
    mkdir((directory_ + "/folder").c_str(), 0755);
  }

  std::string directory_;
};

TEST_F(ProgramPathTest, FindsANameAlongThePath) {
  EXPECT_EQ(ResolveProgram("program", "/nowhere:" + directory_, "/").value(),
            directory_ + "/program");
}

TEST_F(ProgramPathTest, AnEmptyElementIsTheDirectory) {
  EXPECT_EQ(ResolveProgram("program", "/nowhere:", directory_).value(), directory_ + "/program");
}

TEST_F(ProgramPathTest, ANameWithASlashIsNotLookedFor) {
  EXPECT_EQ(ResolveProgram("./program", "", directory_).value(), directory_ + "/./program");
  EXPECT_FALSE(ResolveProgram("./program", directory_, "/").ok());
}

TEST_F(ProgramPathTest, WhatCannotBeExecutedIsNoProgram) {
  for (const char* name : {"data", "folder", "none", "./data", ""}) {
    EXPECT_EQ(ResolveProgram(name, directory_, directory_).status().code(),
              absl::StatusCode::kNotFound)
        << name;
  }
}

}  // namespace
}  // namespace jobrunner::client
