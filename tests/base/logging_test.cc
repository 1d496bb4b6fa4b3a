#include "base/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/recording_logger.h"

namespace jobrunner::base {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Logging, HelpersFormatAndSayTheLevel) {
  test::RecordingLogger logger;
  LogDebug(logger, "%d jobs", 3);
  LogInfo(logger, "batch %s", "b");
  LogWarning(logger, "%s", std::string_view("view"));
  LogError(logger, "plain");
  EXPECT_THAT(logger.messages(),
              ElementsAre(Pair(LogLevel::kDebug, "3 jobs"), Pair(LogLevel::kInfo, "batch b"),
                          Pair(LogLevel::kWarning, "view"), Pair(LogLevel::kError, "plain")));
}

// Enabled at one level only; counts what it is asked to log.
class ErrorsOnly final : public Logger {
 public:
  bool Enabled(LogLevel level) const override { return level == LogLevel::kError; }
  void Log(LogLevel, std::string_view) override { ++count; }
  int count = 0;
};

TEST(Logging, ALevelThatIsOffReachesNoLogger) {
  ErrorsOnly logger;
  LogInfo(logger, "%d", 1);
  LogError(logger, "%d", 2);
  EXPECT_EQ(logger.count, 1);
}

TEST(Logging, LevelsHaveTheNamesOfTheConfiguration) {
  EXPECT_EQ(LogLevelName(LogLevel::kDebug), "debug");
  EXPECT_EQ(LogLevelName(LogLevel::kInfo), "info");
  EXPECT_EQ(LogLevelName(LogLevel::kWarning), "warning");
  EXPECT_EQ(LogLevelName(LogLevel::kError), "error");
}

}  // namespace
}  // namespace jobrunner::base
