#include "base/spdlog_logger.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <vector>

#include "base/check.h"
#include "support/temporary_directory.h"

namespace jobrunner::base {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class Pipe {
 public:
  Pipe() { JOBRUNNER_CHECK(pipe2(ends_.data(), O_CLOEXEC) == 0); }
  ~Pipe() {
    CloseReader();
    close(ends_[1]);
  }

  int writer() const { return ends_[1]; }

  void CloseReader() {
    if (ends_[0] >= 0) close(ends_[0]);
    ends_[0] = -1;
  }

  void FillUp() {
    fcntl(ends_[1], F_SETFL, O_NONBLOCK);
    const std::vector<char> block(4096, '.');
    while (write(ends_[1], block.data(), block.size()) > 0) {
    }
    fcntl(ends_[1], F_SETFL, 0);
  }

 private:
  std::array<int, 2> ends_;
};

class SpdlogLoggerTest : public ::testing::Test {
 protected:
  SpdlogLoggerTest() {
    options_.console_fd = -1;
    options_.file = directory_.PathOf("server.log");
  }

  std::unique_ptr<SpdlogLogger> Opened() {
    auto logger = SpdlogLogger::Open(options_);
    EXPECT_TRUE(logger.ok()) << logger.status();
    return *std::move(logger);
  }

  std::string Written() { return test::ReadFile(options_.file); }

  test::TemporaryDirectory directory_;
  SpdlogOptions options_;
};

TEST_F(SpdlogLoggerTest, ALineHasItsTimeAndLevel) {
  LogWarning(*Opened(), "queue %s is full", "default");
  EXPECT_THAT(Written(),
              MatchesRegex("20[0-9-]+T[0-9:]+\\.[0-9]+Z warning queue default is full\n"));
}

TEST_F(SpdlogLoggerTest, BareLinesAreAsLogged) {
  options_.bare_lines = true;
  LogInfo(*Opened(), "✔ worker 1: Alice done in 234 ms");
  EXPECT_EQ(Written(), "✔ worker 1: Alice done in 234 ms\n");
}

TEST_F(SpdlogLoggerTest, AMessageIsOneLineWhateverItHolds) {
  options_.bare_lines = true;
  LogInfo(*Opened(), "%s", "one\ntwo\x1b[2J\tthree\r{}");
  EXPECT_EQ(Written(), "one\\ntwo\\x1b[2J\tthree\\x0d{}\n");
}

TEST_F(SpdlogLoggerTest, LevelsBelowTheOneSetAreNotWritten) {
  auto logger = Opened();
  LogDebug(*logger, "hidden");
  logger->SetLevel(LogLevel::kDebug);
  LogDebug(*logger, "shown");
  logger->SetLevel(LogLevel::kError);
  logger->Log(LogLevel::kWarning, "also hidden");
  EXPECT_FALSE(logger->Enabled(LogLevel::kWarning));
  logger->Close();
  EXPECT_THAT(Written(), HasSubstr("shown"));
  EXPECT_THAT(Written(), Not(HasSubstr("hidden")));
}

TEST_F(SpdlogLoggerTest, CloseWritesEverythingThatWasLogged) {
  options_.queued_max = 10000;
  auto logger = Opened();
  for (int i = 0; i < 1000; ++i) LogInfo(*logger, "message %d.", i);
  logger->Close();
  EXPECT_THAT(Written(), HasSubstr("message 0."));
  EXPECT_THAT(Written(), HasSubstr("message 999."));
  EXPECT_EQ(logger->dropped(), 0u);
}

TEST_F(SpdlogLoggerTest, WhatIsLoggedAfterCloseIsDroppedAndCounted) {
  auto logger = Opened();
  logger->Close();
  logger->Close();
  LogInfo(*logger, "late");
  EXPECT_EQ(logger->dropped(), 1u);
}

TEST_F(SpdlogLoggerTest, AFileThatCannotBeOpenedIsAnError) {
  options_.file = directory_.PathOf("none/server.log");
  EXPECT_FALSE(SpdlogLogger::Open(options_).ok());
}

TEST_F(SpdlogLoggerTest, AFullDiskCostsTheMessagesAlone) {
  options_.file = "/dev/full";
  auto logger = Opened();
  for (int i = 0; i < 100; ++i) LogInfo(*logger, "message %d", i);
  logger->Close();
  EXPECT_EQ(logger->dropped(), 100u);
}

TEST_F(SpdlogLoggerTest, AClosedPipeCostsNothingButWhatGoesThere) {
  Pipe pipe;
  pipe.CloseReader();
  options_.console_fd = pipe.writer();
  auto logger = Opened();
  for (int i = 0; i < 100; ++i) LogInfo(*logger, "message %d", i);
  logger->Close();
  EXPECT_EQ(logger->dropped(), 100u);
  EXPECT_THAT(Written(), HasSubstr("message 99"));
}

TEST_F(SpdlogLoggerTest, APipeThatNobodyReadsBlocksNeitherLogNorClose) {
  Pipe pipe;
  pipe.FillUp();
  options_.console_fd = pipe.writer();
  options_.file.clear();
  auto logger = Opened();
  for (int i = 0; i < 100; ++i) LogInfo(*logger, "message %d", i);
  logger->Close();
  EXPECT_EQ(logger->dropped(), 100u);
}

TEST_F(SpdlogLoggerTest, AFullQueueDropsTheOldestAndCountsIt) {
  Pipe pipe;
  pipe.FillUp();
  options_.console_fd = pipe.writer();
  options_.queued_max = 4;
  auto logger = Opened();
  for (int i = 0; i < 1000; ++i) LogInfo(*logger, "message %d.", i);
  logger->Close();
  EXPECT_GE(logger->dropped(), 1000u);
  EXPECT_THAT(Written(), HasSubstr("message 999."));
}

TEST_F(SpdlogLoggerTest, ManyThreadsMayLogAtOnce) {
  options_.bare_lines = true;
  options_.queued_max = 10000;
  auto logger = Opened();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 500; ++j) LogInfo(*logger, "line");
    });
  }
  for (std::thread& thread : threads) thread.join();
  logger->Close();
  EXPECT_EQ(Written().size(), 4 * 500 * std::string("line\n").size());
}

}  // namespace
}  // namespace jobrunner::base
