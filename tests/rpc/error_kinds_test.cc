// Every kind of failure on the error channel.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "rpc/each_store.h"

namespace jobrunner::rpc {
namespace {

v1::Job ShellJob(const std::string& script) {
  v1::Job job;
  for (const std::string& word : {std::string("/bin/sh"), std::string("-c"), script}) {
    job.mutable_command()->add_argv(word);
  }
  return job;
}

// This process's own.
std::vector<int> Children() {
  std::vector<int> children;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "children");
    for (int pid = 0; file >> pid;) children.push_back(pid);
  }
  return children;
}

struct Kind {
  v1::Reason reason;
  // A google.rpc.Code.
  int32_t code;
  v1::Job job;
  std::string queue;
};

std::vector<Kind> EveryKind() {
  v1::Job handler = HandlerJob("fail", R"({"message": "no", "code": 8})");
  v1::Job late = HandlerJob("hold");
  late.mutable_options()->mutable_timeout()->set_nanos(1'000'000);
  v1::Job never = HandlerJob("echo");
  never.mutable_options()->mutable_start_timeout()->set_nanos(1'000'000);
  v1::Job too_late = HandlerJob("hold");
  too_late.mutable_options()->mutable_total_timeout()->set_nanos(1'000'000);
  v1::Job missing;
  missing.mutable_command()->add_argv("/no/such/program");
  return {{v1::REASON_EXIT_CODE, grpc::UNKNOWN, ShellJob("exit 3"), ""},
          {v1::REASON_SIGNAL, grpc::UNKNOWN, ShellJob("kill -9 $$"), ""},
          {v1::REASON_HANDLER, grpc::RESOURCE_EXHAUSTED, handler, ""},
          {v1::REASON_ATTEMPT_TIMEOUT, grpc::DEADLINE_EXCEEDED, late, ""},
          {v1::REASON_START_TIMEOUT, grpc::DEADLINE_EXCEEDED, never, "paused"},
          {v1::REASON_TOTAL_TIMEOUT, grpc::DEADLINE_EXCEEDED, too_late, ""},
          {v1::REASON_SPAWN_FAILED, grpc::FAILED_PRECONDITION, missing, ""}};
}

class ErrorKinds : public OverEachStore {
 protected:
  ServedOptions Options() {
    ServedOptions options = OnStore();
    options.allow_any_command = true;
    options.queues.emplace_back().name = "paused";
    return options;
  }
  void SetUp() override {
    grpc::ClientContext context;
    v1::PauseQueueRequest request;
    request.set_queue("paused");
    v1::PauseQueueResponse response;
    ASSERT_TRUE(served_.admin().PauseQueue(&context, request, &response).ok());
    reader_ = served_.jobs().StreamErrors(&context_, v1::StreamErrorsRequest());
    reader_->WaitForInitialMetadata();
  }
  void TearDown() override {
    context_.TryCancel();
    reader_->Finish();
  }
  v1::BatchEvent Next() {
    while (position_ == response_.events_size()) {
      position_ = 0;
      EXPECT_TRUE(reader_->Read(&response_));
    }
    return response_.events(position_++);
  }
  // Runs the batch to its end, and expects what failed in its log, event by event, to be what the
  // channel shows, and nothing else.
  std::vector<v1::Event> ExpectShown(const std::string& batch_id) {
    std::vector<v1::Event> failures;
    for (const v1::Event& event : Results(served_, batch_id)) {
      const bool failed = event.has_result() && event.result().has_error();
      if (event.has_attempt_error() || failed) failures.push_back(event);
    }
    for (const v1::Event& failure : failures) {
      const v1::BatchEvent shown = Next();
      EXPECT_EQ(shown.batch_id(), batch_id);
      EXPECT_EQ(shown.event().SerializeAsString(), failure.SerializeAsString());
    }
    return failures;
  }

  Served served_{Options()};
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::StreamErrorsResponse>> reader_;
  v1::StreamErrorsResponse response_;
  int position_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Stores, ErrorKinds, EachStore(), NameOfStore);

TEST_P(ErrorKinds, AreShownOnceEachWithTheirCode) {
  for (const Kind& kind : EveryKind()) {
    v1::BatchSpec spec = BatchOf(1, kind.job);
    spec.set_queue(kind.queue);
    const auto failures = ExpectShown(Submit(served_, spec).id());
    ASSERT_EQ(failures.size(), 1u) << v1::Reason_Name(kind.reason);
    EXPECT_EQ(failures[0].result().error().reason(), kind.reason);
    EXPECT_EQ(failures[0].result().error().code(), kind.code) << v1::Reason_Name(kind.reason);
  }
}

TEST_P(ErrorKinds, IncludeEveryAttemptThatIsTriedAgain) {
  v1::Job job = ShellJob("exit 3");
  job.mutable_options()->mutable_retry_policy()->set_max_attempts(3);
  job.mutable_options()->mutable_retry_policy()->mutable_initial_backoff();
  const auto failures = ExpectShown(Submit(served_, BatchOf(40, job)).id());
  EXPECT_EQ(failures.size(), 120u);
}

TEST_P(ErrorKinds, ACriticalOneIsShownAndTheJobsThatItCancelsAreNot) {
  v1::BatchSpec spec = BatchOf(1, HandlerJob("fail", R"({"message": "no", "critical": true})"));
  for (int i = 0; i < 20; ++i) *spec.add_jobs() = HandlerJob("hold");
  const std::string id = Submit(served_, spec).id();
  const auto events = Results(served_, id);
  const v1::BatchEvent shown = Next();
  EXPECT_EQ(shown.batch_id(), id);
  EXPECT_TRUE(shown.event().result().error().critical());
  EXPECT_EQ(events.size(), 22u);
  const std::string next = Submit(served_, BatchOf(1, HandlerJob("fail", "the next"))).id();
  EXPECT_EQ(Next().batch_id(), next);
}

TEST_P(ErrorKinds, AWorkerThatIsLostIsOne) {
  v1::Job job = ShellJob("echo begun; exec sleep 1000");
  job.mutable_options()->set_max_lost_attempts(0);
  job.mutable_options()->set_stream_output(true);
  const std::string id = Submit(served_, BatchOf(1, job)).id();
  grpc::ClientContext context;
  v1::StreamResultsRequest request;
  request.set_batch_id(id);
  request.set_follow(true);
  const auto reader = served_.jobs().StreamResults(&context, request);
  v1::StreamResultsResponse begun;
  ASSERT_TRUE(reader->Read(&begun));
  context.TryCancel();
  reader->Finish();
  // The spawner of this server, which holds all its commands.
  const std::vector<int> children = Children();
  ASSERT_EQ(children.size(), 1u);
  ASSERT_EQ(kill(children[0], SIGKILL), 0);
  const auto failures = ExpectShown(id);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].result().error().reason(), v1::REASON_WORKER_LOST);
  EXPECT_EQ(failures[0].result().error().code(), grpc::UNAVAILABLE);
}

}  // namespace
}  // namespace jobrunner::rpc
