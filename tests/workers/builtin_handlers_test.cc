#include "workers/builtin_handlers.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "support/recording_logger.h"
#include "workers/assignments.h"
#include "workers/handler_attempt.h"
#include "workers/handler_registry.h"
#include "workers/recording_sink.h"

namespace jobrunner::workers {
namespace {

using testing::HasSubstr;

class BuiltInHandlersTest : public testing::Test {
 protected:
  engine::Outcome Run(const std::string& name, const std::string& payload, int32_t attempt = 1) {
    engine::Assignment assignment = Assign(HandlerJob(name, payload));
    assignment.attempt = attempt;
    HandlerAttempt one({.assignment = std::move(assignment), .worker = 1}, registry_.Find(name),
                       &sink_, &logger_);
    return one.Run(base::SteadyTime());
  }

  engine::Failure Fail(const std::string& payload, int32_t attempt = 1) {
    const engine::Outcome outcome = Run("fail", payload, attempt);
    return outcome.failure == nullptr ? engine::Failure{.code = 0, .message = {}}
                                      : *outcome.failure;
  }

  HandlerRegistry registry_;
  RecordingSink sink_;
  base::NullLogger logger_;
};

TEST_F(BuiltInHandlersTest, SleepReturnsWhenItsTimeHasPassed) {
  EXPECT_EQ(Run("sleep", "0").failure, nullptr);
  EXPECT_EQ(Run("sleep", "1").failure, nullptr);
}

TEST_F(BuiltInHandlersTest, SleepRefusesWhatIsNoNumberOfMilliseconds) {
  for (const char* payload : {"", "abc", "-1", "1.5", "99999999999999999999", "400000000000"}) {
    const engine::Outcome outcome = Run("sleep", payload);
    ASSERT_NE(outcome.failure, nullptr) << payload;
    EXPECT_EQ(outcome.failure->code, 3);
    EXPECT_TRUE(outcome.failure->final);
  }
}

TEST_F(BuiltInHandlersTest, FailTakesAMessage) {
  const engine::Failure failure = Fail("it broke");
  EXPECT_EQ(failure.message, "it broke");
  EXPECT_EQ(failure.code, 2);
  EXPECT_FALSE(failure.final);
  EXPECT_FALSE(failure.critical);
}

TEST_F(BuiltInHandlersTest, FailTakesJson) {
  const engine::Failure failure =
      Fail(R"({"message": "m", "code": 7, "retryable": false, "critical": true})");
  EXPECT_EQ(failure.message, "m");
  EXPECT_EQ(failure.code, 7);
  EXPECT_TRUE(failure.final);
  EXPECT_TRUE(failure.critical);
}

TEST_F(BuiltInHandlersTest, FailSucceedsOnTheAttemptItIsTold) {
  EXPECT_NE(Fail(R"({"succeed_on_attempt": 3})", 2).code, 0);
  EXPECT_EQ(Fail(R"({"succeed_on_attempt": 3})", 3).code, 0);
}

TEST_F(BuiltInHandlersTest, FailNamesTheFieldThatIsWrong) {
  EXPECT_THAT(Fail(R"({"code": 17})").message, HasSubstr("code: must be a whole number"));
  EXPECT_THAT(Fail(R"({"code": "x"})").message, HasSubstr("code: must be a whole number"));
  EXPECT_THAT(Fail(R"({"mesage": "m"})").message, HasSubstr("mesage: is unknown"));
  EXPECT_THAT(Fail(R"({"critical": 1})").message, HasSubstr("critical: must be true or false"));
  EXPECT_THAT(Fail(R"({"message": 1})").message, HasSubstr("message: must be a string"));
  EXPECT_EQ(Fail("{ not json").message, "{ not json");
}

TEST_F(BuiltInHandlersTest, TheRegistryKnowsThem) {
  EXPECT_THAT(registry_.Names(), testing::ElementsAre("echo", "fail", "sleep"));
}

TEST_F(BuiltInHandlersTest, TheRegistryRefusesBadAndTakenNames) {
  const HandlerFunction nothing = [](HandlerContext&) -> HandlerResult { return ""; };
  EXPECT_EQ(registry_.Register("echo", nothing).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(registry_.Register("", nothing).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(registry_.Register("a b", nothing).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(registry_.Register(std::string(128, 'a'), nothing).ok());
  EXPECT_FALSE(registry_.Register(std::string(129, 'a'), nothing).ok());
}

}  // namespace
}  // namespace jobrunner::workers
