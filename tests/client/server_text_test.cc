#include "client/server_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobrunner/v1/admin_service.pb.h"

namespace jobrunner::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ServerText, ShowsRemoteWorkers) {
  v1::GetStatisticsResponse statistics;
  EXPECT_THAT(StatisticsText(statistics), Not(HasSubstr("worker")));
  v1::RemoteWorkerStatistics& worker = *statistics.add_remote_workers();
  worker.set_name("camera");
  worker.add_handlers("resize");
  worker.add_handlers("blur");
  worker.set_slots(4);
  worker.set_held(3);
  worker.set_sdk("python 1.0");
  (*worker.mutable_labels())["room"] = "cellar";
  worker.mutable_connect_time()->set_seconds(1'700'000'000);
  worker.set_connected(true);
  const std::string text = StatisticsText(statistics);
  EXPECT_THAT(text, HasSubstr("camera: 3 of 4 slots busy, since 20"));
  EXPECT_THAT(text, HasSubstr("offers resize, blur; python 1.0; room=cellar\n"));
}

TEST(ServerText, SaysWhichRemoteWorkersGo) {
  v1::GetStatisticsResponse statistics;
  v1::RemoteWorkerStatistics& worker = *statistics.add_remote_workers();
  worker.set_name("camera\x1b[31m");
  worker.set_leaving(true);
  const std::string text = StatisticsText(statistics);
  EXPECT_THAT(text, HasSubstr("away, was there since"));
  EXPECT_THAT(text, HasSubstr("; leaves"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b"))) << "it is the worker's own text";
}

}  // namespace
}  // namespace jobrunner::client
