#include "workers/handler_executor.h"

#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "support/recording_logger.h"
#include "workers/assignments.h"
#include "workers/recording_sink.h"

namespace jobrunner::workers {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using testing::HasSubstr;
using testing::IsEmpty;

class HandlerExecutorTest : public testing::Test {
 protected:
  void Register(const std::string& name, HandlerFunction function) {
    ASSERT_TRUE(registry_.Register(name, std::move(function)).ok());
  }

  engine::AttemptToken Start(const v1::Job& job) { return Start(Assign(job)); }

  engine::AttemptToken Start(engine::Assignment assignment) {
    const engine::AttemptToken token = assignment.token;
    std::vector<NumberedAssignment> work;
    work.push_back({.assignment = std::move(assignment), .worker = 7});
    executor().Start(std::move(work));
    return token;
  }

  void StartMany(int count, const v1::Job& job) {
    std::vector<NumberedAssignment> work;
    for (engine::Assignment& assignment : Assign(std::vector<v1::Job>(count, job))) {
      work.push_back({.assignment = std::move(assignment), .worker = 1});
    }
    executor().Start(std::move(work));
  }

  engine::Outcome Run(const v1::Job& job) {
    Start(job);
    return sink_.TakeOutcome();
  }

  void Stop(engine::AttemptToken token, nanoseconds grace) {
    executor().Stop({{.token = token, .grace = grace}});
  }

  HandlerExecutor& executor() {
    if (executor_ == nullptr) {
      executor_ = std::make_unique<HandlerExecutor>(&registry_, &sink_, &logger_);
    }
    return *executor_;
  }

  void EndExecutor() { executor_.reset(); }

  HandlerRegistry registry_;
  RecordingSink sink_;
  test::RecordingLogger logger_;

 private:
  std::unique_ptr<HandlerExecutor> executor_;
};

TEST_F(HandlerExecutorTest, EchoReturnsItsPayload) {
  const std::string payload("a\0\xff b", 5);
  const engine::AttemptToken token = Start(HandlerJob("echo", payload));
  const engine::Outcome outcome = sink_.TakeOutcome();
  EXPECT_EQ(outcome.token, token);
  EXPECT_EQ(outcome.worker, 7);
  EXPECT_EQ(outcome.output, payload);
  EXPECT_EQ(outcome.failure, nullptr);
  EXPECT_EQ(outcome.command, nullptr);
  EXPECT_FALSE(outcome.abandoned);
}

TEST_F(HandlerExecutorTest, TheContextTellsTheHandlerWhatItIsToDo) {
  Register("look", [](HandlerContext& context) -> HandlerResult {
    EXPECT_EQ(context.payload(), "p");
    EXPECT_EQ(context.content_type(), "text/plain");
    EXPECT_EQ(context.batch_id(), kBatchId);
    EXPECT_EQ(context.job_index(), 0);
    EXPECT_EQ(context.job_key(), "alice");
    EXPECT_EQ(context.attempt(), 3);
    EXPECT_EQ(context.deadline(), base::SteadyTime(hours(5)));
    EXPECT_FALSE(context.stop_requested());
    return "seen";
  });
  v1::Job job = HandlerJob("look", "p");
  job.set_key("alice");
  job.mutable_handler()->set_content_type("text/plain");
  engine::Assignment assignment = Assign(job);
  assignment.attempt = 3;
  assignment.deadline = base::SteadyTime(hours(5));
  Start(std::move(assignment));
  EXPECT_EQ(sink_.TakeOutcome().output, "seen");
}

TEST_F(HandlerExecutorTest, AnErrorSaysAllThatTheHandlerSaid) {
  Register("refuse", [](HandlerContext&) -> HandlerResult {
    return HandlerError{.message = "too old", .code = 9, .retryable = false, .critical = true};
  });
  const engine::Outcome outcome = Run(HandlerJob("refuse"));
  ASSERT_NE(outcome.failure, nullptr);
  EXPECT_EQ(outcome.failure->message, "too old");
  EXPECT_EQ(outcome.failure->code, 9);
  EXPECT_EQ(outcome.failure->reason, v1::REASON_HANDLER);
  EXPECT_TRUE(outcome.failure->critical);
  EXPECT_TRUE(outcome.failure->final);
}

TEST_F(HandlerExecutorTest, ACodeThatIsNoneBecomesUnknown) {
  Register("odd", [](HandlerContext&) -> HandlerResult { return HandlerError{.code = 99}; });
  EXPECT_EQ(Run(HandlerJob("odd")).failure->code, 2);
}

TEST_F(HandlerExecutorTest, AnExceptionIsAFailureNotACrash) {
  Register("throw", [](HandlerContext&) -> HandlerResult { throw std::runtime_error("no disk"); });
  Register("throw-odd", [](HandlerContext&) -> HandlerResult { throw 5; });
  const engine::Outcome outcome = Run(HandlerJob("throw"));
  ASSERT_NE(outcome.failure, nullptr);
  EXPECT_THAT(outcome.failure->message, HasSubstr("no disk"));
  EXPECT_EQ(outcome.failure->reason, v1::REASON_HANDLER);
  EXPECT_NE(Run(HandlerJob("throw-odd")).failure, nullptr);
}

TEST_F(HandlerExecutorTest, AnUnknownHandlerFailsForGood) {
  const engine::Outcome outcome = Run(HandlerJob("nobody"));
  ASSERT_NE(outcome.failure, nullptr);
  EXPECT_THAT(outcome.failure->message, HasSubstr("\"nobody\""));
  EXPECT_TRUE(outcome.failure->final);
}

TEST_F(HandlerExecutorTest, SleepEndsEarlyWhenItIsAskedTo) {
  const engine::AttemptToken token = Start(HandlerJob("sleep", "3600000"));
  Stop(token, hours(1));
  const engine::Outcome outcome = sink_.TakeOutcome();
  ASSERT_NE(outcome.failure, nullptr);
  EXPECT_EQ(outcome.failure->code, 1);
  EXPECT_FALSE(outcome.abandoned);
}

TEST_F(HandlerExecutorTest, AStopBeforeTheHandlerAskedForItsTokenIsSeen) {
  absl::Notification began, stopped;
  Register("late", [&](HandlerContext& context) -> HandlerResult {
    began.Notify();
    stopped.WaitForNotification();
    return context.stop_token().stop_requested() ? "stopped" : "not stopped";
  });
  const engine::AttemptToken token = Start(HandlerJob("late"));
  began.WaitForNotification();
  Stop(token, hours(1));
  // A second attempt that is stopped after the first shows that the first stop has been carried
  // out.
  Stop(Start(HandlerJob("sleep", "3600000")), hours(1));
  sink_.TakeOutcome();
  stopped.Notify();
  EXPECT_EQ(sink_.TakeOutcome().output, "stopped");
}

TEST_F(HandlerExecutorTest, AHandlerThatIgnoresItsStopIsAbandonedAndReturnsItsSlotLater) {
  absl::Notification began, release;
  Register("stubborn", [&](HandlerContext& context) -> HandlerResult {
    began.Notify();
    release.WaitForNotification();
    context.Progress(1, "too late");
    return "too late";
  });
  const engine::AttemptToken token = Start(HandlerJob("stubborn"));
  began.WaitForNotification();
  Stop(token, milliseconds(1));
  const engine::Outcome outcome = sink_.TakeOutcome();
  EXPECT_TRUE(outcome.abandoned);
  EXPECT_EQ(outcome.token, token);
  ASSERT_NE(outcome.failure, nullptr);
  release.Notify();
  EXPECT_EQ(sink_.TakeReturned(), token);
  EndExecutor();
  EXPECT_EQ(sink_.outcome_count(), 0);
}

TEST_F(HandlerExecutorTest, AShorterGraceShortensALongerOne) {
  absl::Notification began, release;
  Register("stubborn", [&](HandlerContext&) -> HandlerResult {
    began.Notify();
    release.WaitForNotification();
    return "";
  });
  const engine::AttemptToken token = Start(HandlerJob("stubborn"));
  began.WaitForNotification();
  Stop(token, hours(1));
  Stop(token, nanoseconds(0));
  Stop(token, hours(2));
  EXPECT_TRUE(sink_.TakeOutcome().abandoned);
  release.Notify();
  sink_.TakeReturned();
}

TEST_F(HandlerExecutorTest, AStopOfWhatHasEndedIsIgnored) {
  const engine::AttemptToken token = Start(HandlerJob("echo"));
  sink_.TakeOutcome();
  Stop(token, nanoseconds(0));
  Run(HandlerJob("echo"));
  EndExecutor();
  EXPECT_EQ(sink_.outcome_count(), 0);
}

TEST_F(HandlerExecutorTest, AThousandThatBlockRunAtOnce) {
  constexpr int kCount = 1000;
  absl::BlockingCounter all_run(kCount);
  absl::Notification release;
  Register("block", [&](HandlerContext&) -> HandlerResult {
    all_run.DecrementCount();
    release.WaitForNotification();
    return "";
  });
  StartMany(kCount, HandlerJob("block"));
  all_run.Wait();
  release.Notify();
  sink_.TakeOutcomes(kCount);
}

TEST_F(HandlerExecutorTest, ManyThatDoNothingDoNotMakeManyThreads) {
  constexpr int kCount = 100'000;
  StartMany(kCount, HandlerJob("echo"));
  sink_.TakeOutcomes(kCount);
  EXPECT_LT(executor().threads(), 1000);
}

TEST_F(HandlerExecutorTest, AJobBehindOneThatBlocksRuns) {
  absl::Notification release;
  Register("block", [&](HandlerContext&) -> HandlerResult {
    release.WaitForNotification();
    return "released";
  });
  std::vector<NumberedAssignment> work;
  for (engine::Assignment& assignment : Assign({HandlerJob("block"), HandlerJob("echo", "me")})) {
    work.push_back({.assignment = std::move(assignment), .worker = 1});
  }
  executor().Start(std::move(work));
  EXPECT_EQ(sink_.TakeOutcome().output, "me");
  release.Notify();
  EXPECT_EQ(sink_.TakeOutcome().output, "released");
}

TEST_F(HandlerExecutorTest, ProgressAndLogPassThrough) {
  Register("talk", [](HandlerContext& context) -> HandlerResult {
    context.Progress(0.5, "half");
    context.Progress(7, "past the end");
    base::LogInfo(context.logger(), "hello");
    return "";
  });
  Run(HandlerJob("talk"));
  EXPECT_EQ(sink_.TakeReport().fraction, 0.5);
  EXPECT_EQ(sink_.TakeReport().fraction, 1);
  const auto messages = logger_.messages();
  ASSERT_EQ(messages.size(), 1);
  EXPECT_THAT(messages[0].second, HasSubstr("job 0 attempt 1: hello"));
}

TEST_F(HandlerExecutorTest, WrittenOutputStandsBeforeTheResult) {
  Register("write", [](HandlerContext& context) -> HandlerResult {
    context.Write("one ");
    context.Write("two ");
    return "three";
  });
  EXPECT_EQ(Run(HandlerJob("write")).output, "one two three");
}

TEST_F(HandlerExecutorTest, StreamedOutputIsShownAtOnceAndNotRepeated) {
  absl::Notification seen;
  Register("write", [&](HandlerContext& context) -> HandlerResult {
    context.Write("one");
    seen.WaitForNotification();
    return "two";
  });
  engine::Assignment assignment = Assign(HandlerJob("write"));
  assignment.stream_output = true;
  Start(std::move(assignment));
  EXPECT_EQ(sink_.TakeChunk().output, "one");
  seen.Notify();
  EXPECT_EQ(sink_.TakeOutcome().output, "two");
}

TEST_F(HandlerExecutorTest, ErrorOutputIsShownIfItIsStreamedAndElseDropped) {
  Register("write", [](HandlerContext& context) -> HandlerResult {
    context.WriteError("oh");
    return "done";
  });
  engine::Assignment assignment = Assign(HandlerJob("write"));
  assignment.stream_output = true;
  Start(std::move(assignment));
  EXPECT_EQ(sink_.TakeChunk().error_output, "oh");
  EXPECT_EQ(sink_.TakeOutcome().output, "done");
  EXPECT_EQ(Run(HandlerJob("write")).output, "done");
  EXPECT_THAT(sink_.chunks(), IsEmpty());
}

TEST_F(HandlerExecutorTest, StreamedOutputEndsAtTheCapAndSaysSo) {
  Register("flood", [](HandlerContext& context) -> HandlerResult {
    context.Write(std::string(kHandlerOutputBytesMax - 1, 'x'));
    context.Write("yz");
    context.Write("dropped");
    return "";
  });
  engine::Assignment assignment = Assign(HandlerJob("flood"));
  assignment.stream_output = true;
  Start(std::move(assignment));
  sink_.TakeOutcome();
  EXPECT_FALSE(sink_.TakeChunk().truncated);
  const engine::OutputChunk last = sink_.TakeChunk();
  EXPECT_EQ(last.output, "y");
  EXPECT_TRUE(last.truncated);
  EXPECT_THAT(sink_.chunks(), IsEmpty());
}

TEST_F(HandlerExecutorTest, AResultOfTheMaximumPassesAndOneByteMoreFails) {
  Register("size", [](HandlerContext& context) -> HandlerResult {
    return std::string(std::stoi(std::string(context.payload())), 'x');
  });
  EXPECT_EQ(Run(HandlerJob("size", std::to_string(kHandlerOutputBytesMax))).failure, nullptr);
  EXPECT_NE(Run(HandlerJob("size", std::to_string(kHandlerOutputBytesMax + 1))).failure, nullptr);
}

TEST_F(HandlerExecutorTest, TheEndStopsWhatRunsAndReportsIt) {
  absl::Notification began;
  Register("wait", [&](HandlerContext& context) -> HandlerResult {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    began.Notify();
    never.wait(lock, context.stop_token(), [] { return false; });
    return "stopped";
  });
  Start(HandlerJob("wait"));
  began.WaitForNotification();
  EndExecutor();
  ASSERT_EQ(sink_.outcome_count(), 1);
  EXPECT_EQ(sink_.TakeOutcome().output, "stopped");
}

TEST_F(HandlerExecutorTest, TheEndDoesNotWaitForAHandlerThatIgnoresIt) {
  // Not on this frame's stack: the handler outlives it.
  auto began = std::make_shared<absl::Notification>();
  auto release = std::make_shared<absl::Notification>();
  auto returned = std::make_shared<absl::Notification>();
  Register("stubborn", [began, release, returned](HandlerContext&) -> HandlerResult {
    began->Notify();
    release->WaitForNotification();
    returned->Notify();
    return "";
  });
  Start(HandlerJob("stubborn"));
  began->WaitForNotification();
  EndExecutor();
  ASSERT_EQ(sink_.outcome_count(), 1);
  EXPECT_NE(sink_.TakeOutcome().failure, nullptr);
  release->Notify();
  returned->WaitForNotification();
}

}  // namespace
}  // namespace jobrunner::workers
