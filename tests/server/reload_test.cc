#include "server/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config_json.h"

namespace jobrunner::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ReloadTest, PoolQueuesAndLogLevelAreTakenOver) {
  config::v1::Config current =
      *ParseConfigJson(R"({"workers": {"max": 4}, "log": {"level": "info", "file": "a"}})");
  const config::v1::Config read = *ParseConfigJson(
      R"({"workers": {"min": 1, "max": 8}, "log": {"level": "debug", "file": "a"},
          "queues": [{"name": "slow", "max_running": 1}]})");
  EXPECT_THAT(TakeOver(read, &current), IsEmpty());
  EXPECT_EQ(current.SerializeAsString(), read.SerializeAsString());
}

TEST(ReloadTest, WhatWaitsForTheNextStartIsNamedAndNotTakenOver) {
  config::v1::Config current =
      *ParseConfigJson(R"({"listen": "a:1", "web": {"listen": "b:1"}, "log": {}})");
  const config::v1::Config read = *ParseConfigJson(
      R"({"listen": "a:2", "web": {"listen": "b:2"}, "workers": {"max": 3, "lease": "4s"},
          "log": {}})");
  EXPECT_THAT(TakeOver(read, &current),
              ElementsAre(HasSubstr("listen: \"a:1\" -> \"a:2\""), HasSubstr("workers.lease"),
                          HasSubstr("web.listen: \"b:1\" -> \"b:2\"")));
  EXPECT_EQ(current.listen(), "a:1");
  EXPECT_EQ(current.workers().max(), 3);
}

}  // namespace
}  // namespace jobrunner::server
