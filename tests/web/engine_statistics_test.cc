#include "web/engine_statistics.h"

#include <gtest/gtest.h>

#include "engine/engine_thread.h"
#include "engine/event_log.h"
#include "support/fake_clock.h"
#include "support/recording_logger.h"
#include "support/recording_store.h"

namespace jobrunner::web {
namespace {

class NoExecutor final : public engine::Executor {
 public:
  void Start(std::vector<engine::Assignment>) override {}
  void Stop(const std::vector<engine::StopOrder>&) override {}
  void Resize(engine::PoolBounds) override {}
  engine::ExecutorStatistics Statistics() const override { return {}; }
};

class EngineStatisticsTest : public ::testing::Test {
 protected:
  engine::EngineThread::Parts Parts() {
    engine::EngineThread::Parts parts;
    parts.clock = &clock_;
    parts.store = &store_;
    parts.logs = &logs_;
    parts.logger = &logger_;
    return parts;
  }

  test::FakeClock clock_;
  test::RecordingLogger logger_;
  test::RecordingStore store_;
  NoExecutor executor_;
  engine::EventLogs logs_;
};

TEST_F(EngineStatisticsTest, TheEngineAnswers) {
  engine::EngineThread engine({}, Parts());
  engine.Start(&executor_);
  const auto statistics = AskForStatistics(&engine, std::chrono::minutes(1));
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_TRUE(statistics->queues.contains("default"));
  engine.Stop();
}

TEST_F(EngineStatisticsTest, AnEngineThatHasEndedDoesNot) {
  engine::EngineThread engine({}, Parts());
  engine.Start(&executor_);
  engine.Stop();
  EXPECT_FALSE(AskForStatistics(&engine, std::chrono::milliseconds(1)).ok());
}

}  // namespace
}  // namespace jobrunner::web
