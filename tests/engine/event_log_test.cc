#include "engine/event_log.h"

#include "gtest/gtest.h"

namespace jobrunner::engine {
namespace {

class CountingReader final : public LogReader {
 public:
  void LogGrew() override { ++told; }
  int told = 0;
};

class EventLogsTest : public testing::Test {
 protected:
  using Awaited = EventLogs::Awaited;
  Awaited Await(int64_t after) { return logs_.Await("a", after, reader_); }

  EventLogs logs_;
  std::shared_ptr<CountingReader> reader_ = std::make_shared<CountingReader>();
};

TEST_F(EventLogsTest, ABatchThatIsNotThereIsNotLive) { EXPECT_EQ(Await(0), Awaited::kNotLive); }

TEST_F(EventLogsTest, AReaderIsToldOnce) {
  logs_.Open("a");
  EXPECT_EQ(Await(0), Awaited::kWaiting);
  logs_.Published("a", 1, false);
  logs_.Published("a", 2, false);
  EXPECT_EQ(reader_->told, 1);
}

TEST_F(EventLogsTest, AReaderThatIsBehindNeedNotWait) {
  logs_.Open("a");
  logs_.Published("a", 3, false);
  EXPECT_EQ(Await(2), Awaited::kGrew);
  EXPECT_EQ(Await(3), Awaited::kWaiting);
}

TEST_F(EventLogsTest, AFinishedLogTellsItsReadersAndIsNotLiveAnyMore) {
  logs_.Open("a");
  EXPECT_EQ(Await(0), Awaited::kWaiting);
  logs_.Published("a", 1, true);
  EXPECT_EQ(reader_->told, 1);
  EXPECT_EQ(Await(1), Awaited::kNotLive);
}

TEST_F(EventLogsTest, AReaderThatIsGoneIsNotTold) {
  logs_.Open("a");
  EXPECT_EQ(Await(0), Awaited::kWaiting);
  reader_.reset();
  logs_.Published("a", 1, false);
}

TEST_F(EventLogsTest, EveryWaitingReaderIsToldWhenTheServerStops) {
  logs_.Open("a");
  logs_.Open("b");
  auto other = std::make_shared<CountingReader>();
  EXPECT_EQ(Await(0), Awaited::kWaiting);
  EXPECT_EQ(logs_.Await("b", 0, other), Awaited::kWaiting);
  logs_.WakeAll();
  EXPECT_EQ(reader_->told, 1);
  EXPECT_EQ(other->told, 1);
}

}  // namespace
}  // namespace jobrunner::engine
