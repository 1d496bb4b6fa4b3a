#include <string>

#include "gtest/gtest.h"
#include "support/recording_logger.h"
#include "workers/assignments.h"
#include "workers/handler_executor.h"
#include "workers/recording_sink.h"

namespace jobrunner::workers {
namespace {

class QuickHandlersTest : public testing::Test {
 protected:
  static v1::Job JobOf(const std::string& handler, int payload) {
    v1::Job job;
    job.mutable_handler()->set_name(handler);
    job.mutable_handler()->set_payload(std::to_string(payload));
    return job;
  }

  void Start(const std::vector<v1::Job>& jobs) {
    std::vector<NumberedAssignment> work;
    for (engine::Assignment& assignment : Assign(jobs)) {
      work.push_back({.assignment = std::move(assignment), .worker = 1});
    }
    executor_.Start(std::move(work));
  }

  HandlerRegistry registry_;
  test::RecordingLogger logger_;
  RecordingSink sink_;
  HandlerExecutor executor_{&registry_, &sink_, &logger_};
};

TEST_F(QuickHandlersTest, EndInTheOrderInWhichTheyWereStarted) {
  constexpr int kJobs = 1000;
  std::vector<v1::Job> jobs;
  for (int i = 0; i < kJobs; ++i) jobs.push_back(JobOf("echo", i));
  Start(jobs);
  for (int i = 0; i < kJobs; ++i) ASSERT_EQ(sink_.TakeOutcome().output, std::to_string(i));
}

TEST_F(QuickHandlersTest, AreNotHeldUpByOnesThatBlock) {
  Start({JobOf("sleep", 3'600'000), JobOf("echo", 1), JobOf("sleep", 3'600'000), JobOf("echo", 2)});
  EXPECT_EQ(sink_.TakeOutcome().output, "1");
  EXPECT_EQ(sink_.TakeOutcome().output, "2");
}

TEST_F(QuickHandlersTest, ThatThrowFailAndTheNextOnesRun) {
  ASSERT_TRUE(
      registry_
          .RegisterQuick("thrower",
                         [](HandlerContext&) -> HandlerResult { throw std::runtime_error("no"); })
          .ok());
  Start({JobOf("thrower", 0), JobOf("echo", 1)});
  const engine::Outcome failed = sink_.TakeOutcome();
  ASSERT_NE(failed.failure, nullptr);
  EXPECT_EQ(failed.failure->message, "threw an exception: no");
  EXPECT_EQ(sink_.TakeOutcome().output, "1");
}

}  // namespace
}  // namespace jobrunner::workers
