#include "embedded/local_runner.h"

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "support/recording_logger.h"

namespace jobrunner::embedded {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

v1::BatchSpec Calls(const std::vector<std::string>& handlers) {
  v1::BatchSpec spec;
  for (const std::string& name : handlers) {
    v1::HandlerCall* call = spec.add_jobs()->mutable_handler();
    call->set_name(name);
    call->set_payload(absl::StrCat("payload of ", name));
  }
  return spec;
}

class CountingListener final : public engine::EventListener {
 public:
  Interest interest() const override { return Interest::kFailures; }
  void Happened(const engine::BatchHeader&, const v1::Event&, bool failure) override {
    failures += failure ? 1 : 0;
  }
  std::atomic<int> failures{0};
};

class LocalRunnerTest : public testing::Test {
 protected:
  void Handle(const std::string& name, workers::HandlerFunction function) {
    ASSERT_TRUE(handlers_.Register(name, std::move(function)).ok());
  }

  // Handlers and options are taken by the first call.
  LocalRunner& runner() {
    if (runner_ == nullptr) {
      auto started = LocalRunner::Start(std::move(handlers_), std::move(options_));
      EXPECT_TRUE(started.ok()) << started.status();
      runner_ = *std::move(started);
    }
    return *runner_;
  }

  std::string Submit(const v1::BatchSpec& spec) {
    auto batch = runner().Submit(spec);
    EXPECT_TRUE(batch.ok()) << batch.status();
    return batch->id();
  }

  std::vector<v1::Event> Events(const std::string& batch_id, int64_t after_sequence = 0) {
    std::vector<v1::Event> events;
    auto batch = runner().Follow(batch_id, after_sequence,
                                 [&](const v1::Event& event) { events.push_back(event); });
    EXPECT_TRUE(batch.ok()) << batch.status();
    EXPECT_NE(batch->state(), v1::BATCH_STATE_RUNNING);
    return events;
  }

  std::string RefusalOf(const v1::BatchSpec& spec, absl::StatusCode code) {
    auto batch = runner().Submit(spec);
    EXPECT_EQ(batch.status().code(), code);
    return std::string(batch.status().message());
  }

  // Blocks until asked to stop.
  static workers::HandlerResult UntilStopped(workers::HandlerContext& context) {
    absl::Notification stopped;
    std::stop_callback on_stop(context.stop_token(), [&] { stopped.Notify(); });
    stopped.WaitForNotification();
    return workers::HandlerError{.message = "stopped"};
  }

  workers::HandlerRegistry handlers_;
  LocalRunnerOptions options_;
  std::unique_ptr<LocalRunner> runner_;
};

TEST_F(LocalRunnerTest, ABatchRunsAndItsEventsAreShownInOrder) {
  std::vector<int64_t> sequences;
  auto batch = runner().Run(Calls({"echo", "echo", "echo"}),
                            [&](const v1::Event& event) { sequences.push_back(event.sequence()); });
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(batch->state(), v1::BATCH_STATE_SUCCEEDED);
  EXPECT_EQ(batch->counts().succeeded(), 3);
  EXPECT_THAT(sequences, ElementsAre(1, 2, 3, 4));
}

TEST_F(LocalRunnerTest, AHandlerOfTheProgramMakesTheOutputAndLogsToItsLogger) {
  test::RecordingLogger logger;
  options_.logger = &logger;
  Handle("shout", [](workers::HandlerContext& context) -> workers::HandlerResult {
    context.logger().Log(base::LogLevel::kInfo, "shouting");
    return absl::StrCat(std::string(context.payload()), "!");
  });
  const auto events = Events(Submit(Calls({"shout"})));
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].result().output(), "payload of shout!");
  ASSERT_THAT(logger.messages(), SizeIs(1));
  EXPECT_THAT(logger.messages()[0].second, HasSubstr("shouting"));
  runner_.reset();
}

TEST_F(LocalRunnerTest, AFollowerBeginsAfterTheSequenceThatItNames) {
  const std::string id = Submit(Calls({"echo", "echo"}));
  EXPECT_THAT(Events(id), SizeIs(3));
  const auto events = Events(id, 1);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].sequence(), 2);
  EXPECT_THAT(Events(id, 3), IsEmpty());
}

TEST_F(LocalRunnerTest, ALogOfManyPagesIsShownWhole) {
  v1::BatchSpec spec;
  for (int i = 0; i < 2000; ++i) {
    v1::HandlerCall* call = spec.add_jobs()->mutable_handler();
    call->set_name("echo");
    call->set_payload(std::string(2000, 'x'));
  }
  const std::string id = Submit(spec);
  EXPECT_THAT(Events(id), SizeIs(2001));
  EXPECT_THAT(Events(id), SizeIs(2001));
}

TEST_F(LocalRunnerTest, ABatchThatIsWrongIsRefusedByTheFieldsPath) {
  EXPECT_THAT(RefusalOf({}, absl::StatusCode::kInvalidArgument), HasSubstr("batch.jobs: is empty"));
  EXPECT_THAT(RefusalOf(Calls({"echo", "nobody"}), absl::StatusCode::kInvalidArgument),
              HasSubstr("batch.jobs[1].handler.name: "));
  v1::BatchSpec command;
  command.add_jobs()->mutable_command()->add_argv("true");
  EXPECT_THAT(RefusalOf(command, absl::StatusCode::kPermissionDenied),
              HasSubstr("batch.jobs[0].command.argv[0]: "));
}

TEST_F(LocalRunnerTest, ARunnerHasAtLeastOneWorker) {
  auto runner = LocalRunner::Start({}, {.workers_max = 0});
  EXPECT_EQ(runner.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(LocalRunnerTest, CancelEndsWhatRunsAndWhatWaits) {
  options_.workers_max = 1;
  absl::Notification running;
  Handle("wait", [&](workers::HandlerContext& context) {
    running.Notify();
    return UntilStopped(context);
  });
  const std::string id = Submit(Calls({"wait", "echo"}));
  running.WaitForNotification();
  ASSERT_TRUE(runner().Cancel(id, "no longer needed", hours(1)).ok());
  const auto events = Events(id);
  ASSERT_THAT(events, SizeIs(3));
  for (int i : {0, 1}) {
    EXPECT_EQ(events[i].result().state(), v1::JOB_STATE_CANCELLED);
    EXPECT_EQ(events[i].result().error().reason(), v1::REASON_CLIENT_CANCEL);
  }
  EXPECT_EQ(events[2].batch_finished().state(), v1::BATCH_STATE_CANCELLED);
}

TEST_F(LocalRunnerTest, UnknownBatchesAreNotFound) {
  EXPECT_EQ(runner().GetBatch("nothing").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(runner().Cancel("nothing", "", hours(0)).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(runner().Follow("nothing", 0, [](const v1::Event&) {}).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(LocalRunnerTest, ADrainEndsEveryBatchAndRefusesNewOnes) {
  options_.workers_max = 1;
  Handle("wait", UntilStopped);
  const std::string id = Submit(Calls({"wait", "wait"}));
  runner().Drain(nanoseconds(0));
  runner().Drain(nanoseconds(0));
  EXPECT_THAT(RefusalOf(Calls({"echo"}), absl::StatusCode::kUnavailable), HasSubstr("draining"));
  const auto events = Events(id);
  ASSERT_THAT(events, SizeIs(3));
  EXPECT_EQ(events[1].result().error().reason(), v1::REASON_SERVER_SHUTDOWN);
}

TEST_F(LocalRunnerTest, AFollowerIsShownEventsWhileTheBatchRuns) {
  absl::Notification seen;
  Handle("first", [](workers::HandlerContext&) { return workers::HandlerResult("done"); });
  Handle("second", [&](workers::HandlerContext&) -> workers::HandlerResult {
    // Ends only once the other's result was shown.
    seen.WaitForNotification();
    return "done";
  });
  auto batch = runner().Run(Calls({"first", "second"}), [&](const v1::Event& event) {
    if (event.has_result() && event.job_index() == 0) seen.Notify();
  });
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(batch->state(), v1::BATCH_STATE_SUCCEEDED);
}

TEST_F(LocalRunnerTest, ListenersAreToldOfTheFailuresOfAllBatches) {
  CountingListener listener;
  options_.listeners = {&listener};
  Events(Submit(Calls({"fail", "echo"})));
  Events(Submit(Calls({"fail"})));
  EXPECT_EQ(listener.failures, 2);
  runner_.reset();
}

TEST_F(LocalRunnerTest, ARunnerThatGoesStopsWhatRuns) {
  absl::Notification running;
  Handle("wait", [&](workers::HandlerContext& context) {
    running.Notify();
    return UntilStopped(context);
  });
  Submit(Calls({"wait"}));
  running.WaitForNotification();
  runner_.reset();
}

}  // namespace
}  // namespace jobrunner::embedded
