#include "server/commands_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/temporary_directory.h"

namespace jobrunner::server {
namespace {

constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::nanoseconds kNone{0};

TEST(CommandsLock, IsHeldByOneAtATime) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.PathOf("COMMANDS");
  {
    const auto first = CommandsLock::Take(path, kNone);
    ASSERT_TRUE(first.ok()) << first.status();
    EXPECT_TRUE(absl::IsUnavailable(CommandsLock::Take(path, kNone).status()));
  }
  EXPECT_TRUE(CommandsLock::Take(path, kNone).ok());
}

TEST(CommandsLock, IsHeldAsLongAsThereIsACopy) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.PathOf("COMMANDS");
  int copy = -1;
  {
    const auto first = CommandsLock::Take(path, kNone);
    ASSERT_TRUE(first.ok()) << first.status();
    copy = dup(first->fd());
  }
  EXPECT_TRUE(absl::IsUnavailable(CommandsLock::Take(path, kNone).status()));
  close(copy);
  EXPECT_TRUE(CommandsLock::Take(path, kPatience).ok());
}

TEST(CommandsLock, SaysWhichFileCannotBeMade) {
  const auto lock = CommandsLock::Take("/nonexistent/COMMANDS", kNone);
  EXPECT_NE(lock.status().message().find("/nonexistent/COMMANDS"), std::string::npos);
}

}  // namespace
}  // namespace jobrunner::server
