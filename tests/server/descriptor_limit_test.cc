#include "server/descriptor_limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "support/recording_logger.h"

namespace jobrunner::server {
namespace {

using ::testing::HasSubstr;

rlimit Limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit;
}

TEST(DescriptorLimitTest, ItIsRaisedToTheMost) {
  rlimit limit = Limit();
  limit.rlim_cur = limit.rlim_max - 1;
  setrlimit(RLIMIT_NOFILE, &limit);
  test::RecordingLogger logger;
  RaiseDescriptorLimit(1, &logger);
  EXPECT_EQ(Limit().rlim_cur, Limit().rlim_max);
}

TEST(DescriptorLimitTest, AMostThatIsNotEnoughIsWarnedOf) {
  test::RecordingLogger logger;
  RaiseDescriptorLimit(2'000'000'000, &logger);
  EXPECT_EQ(logger.messages().back().first, base::LogLevel::kWarning);
  EXPECT_THAT(logger.messages().back().second, HasSubstr("workers.max is 2000000000"));
}

}  // namespace
}  // namespace jobrunner::server
