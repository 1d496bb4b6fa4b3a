// Remote workers over a real channel, in front of the real engine.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "engine/proto_time.h"
#include "google/rpc/code.pb.h"
#include "rpc/generic_call.h"
#include "rpc/stub_worker.h"

namespace jobrunner::rpc {
namespace {

using std::chrono::milliseconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class WorkerServiceTest : public testing::Test {
 protected:
  explicit WorkerServiceTest(ServedOptions options = {}) : served_(std::move(options)) {}

  std::string SubmitResizes(int count, const std::string& payload = "") {
    return Submit(served_, BatchOf(count, HandlerJob("resize", payload))).id();
  }

  // The only job's result.
  v1::JobResult ResultOf(const std::string& batch_id) {
    for (const v1::Event& event : Results(served_, batch_id)) {
      if (event.has_result()) return event.result();
    }
    return {};
  }

  v1::JobStatus StatusOfJob(const std::string& batch_id) {
    grpc::ClientContext context;
    v1::GetJobRequest request;
    request.set_batch_id(batch_id);
    request.set_index(0);
    v1::GetJobResponse response;
    EXPECT_TRUE(served_.jobs().GetJob(&context, request, &response).ok());
    return response.job();
  }

  void Cancel(const std::string& batch_id, std::chrono::nanoseconds grace) {
    grpc::ClientContext context;
    v1::CancelRequest request;
    request.set_batch_id(batch_id);
    *request.mutable_grace_period() = engine::ToDuration(grace);
    v1::CancelResponse response;
    EXPECT_TRUE(served_.jobs().Cancel(&context, request, &response).ok());
  }

  Served served_;
};

TEST_F(WorkerServiceTest, ACommandRunsAtTheWorkerThatOffersItsPool) {
  StubWorker other(served_, ResizerHello());
  other.AwaitWelcome();
  v1::Job job;
  job.mutable_command()->add_argv("no program of this machine");
  job.mutable_command()->set_pool("build");
  const std::string batch = Submit(served_, BatchOf(1, job)).id();
  EXPECT_EQ(StatusOfJob(batch).wait().reason(), v1::WAIT_REASON_NO_WORKER);
  StubWorker::Hello hello;
  hello.set_name("builder");
  hello.add_pools("build");
  hello.set_slots(1);
  StubWorker builder(served_, hello);
  const v1::Assignment assignment = builder.AwaitAssignment();
  EXPECT_EQ(assignment.command().argv(0), "no program of this machine");
  v1::WorkRequest request;
  v1::AttemptOutcome& outcome = *request.mutable_outcomes()->add_outcomes();
  outcome.set_assignment_id(assignment.assignment_id());
  outcome.set_output("out");
  outcome.mutable_failure()->set_reason(v1::REASON_EXIT_CODE);
  outcome.mutable_command()->set_exit_code(3);
  outcome.mutable_command()->set_error_output("err");
  outcome.mutable_command()->set_output_bytes(10);
  outcome.mutable_command()->set_output_omitted(7);
  outcome.mutable_command()->mutable_usage()->set_max_resident_bytes(1);
  ASSERT_TRUE(builder.Send(request));
  const v1::JobResult result = ResultOf(batch);
  EXPECT_EQ(result.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(result.error().reason(), v1::REASON_EXIT_CODE);
  EXPECT_EQ(result.exit_code(), 3);
  EXPECT_EQ(result.output(), "out");
  EXPECT_EQ(result.error_output(), "err");
  EXPECT_EQ(result.output_bytes(), 10);
  EXPECT_TRUE(result.output_truncated());
  EXPECT_EQ(result.usage().max_resident_bytes(), 1);
  EXPECT_EQ(result.worker(), "builder");
}

TEST_F(WorkerServiceTest, AJobRunsAtARemoteWorker) {
  StubWorker worker(served_, ResizerHello());
  EXPECT_FALSE(worker.AwaitWelcome().session_id().empty());
  const std::string batch = SubmitResizes(1, "picture");
  const v1::Assignment assignment = worker.AwaitAssignment();
  EXPECT_EQ(assignment.batch_id(), batch);
  EXPECT_EQ(assignment.handler().name(), "resize");
  EXPECT_EQ(assignment.handler().payload(), "picture");
  EXPECT_EQ(assignment.attempt(), 1);
  worker.Succeed(assignment.assignment_id(), "smaller");
  const auto acknowledged = worker.AwaitAcknowledged();
  EXPECT_THAT(acknowledged.assignment_ids(), ElementsAre(assignment.assignment_id()));
  EXPECT_THAT(acknowledged.refused_ids(), IsEmpty());
  const v1::JobResult result = ResultOf(batch);
  EXPECT_EQ(result.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(result.output(), "smaller");
  EXPECT_EQ(result.worker(), "resizer");
}

TEST_F(WorkerServiceTest, ManyJobsRunWithinItsSlots) {
  constexpr int kJobs = 2000;
  constexpr int kSlots = 64;
  StubWorker worker(served_, ResizerHello(kSlots));
  worker.AwaitWelcome();
  const std::string batch = SubmitResizes(kJobs);
  std::set<std::string> reported;
  int64_t most = 0;
  for (int i = 0; i < kJobs; ++i) {
    const std::string id = worker.AwaitAssignment().assignment_id();
    // What was reported and not acknowledged is held, but takes no slot.
    const auto runs = [&](const std::string& held) { return !reported.contains(held); };
    most = std::max<int64_t>(most, std::count_if(worker.held().begin(), worker.held().end(), runs));
    worker.Succeed(id);
    reported.insert(id);
  }
  EXPECT_THAT(Results(served_, batch), SizeIs(kJobs + 1));
  EXPECT_GT(most, 1);
  EXPECT_LE(most, kSlots);
}

TEST_F(WorkerServiceTest, AJobWaitsForAWorkerThatOffersItsHandler) {
  const std::string batch = SubmitResizes(1);
  EXPECT_EQ(StatusOfJob(batch).wait().reason(), v1::WAIT_REASON_NO_WORKER);
  StubWorker worker(served_, ResizerHello());
  worker.AwaitWelcome();
  worker.Succeed(worker.AwaitAssignment().assignment_id());
  EXPECT_EQ(ResultOf(batch).state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(WorkerServiceTest, AFailureIsTheJobs) {
  StubWorker worker(served_, ResizerHello());
  worker.AwaitWelcome();
  const std::string batch = SubmitResizes(1);
  v1::AttemptFailure failure;
  failure.set_code(google::rpc::NOT_FOUND);
  failure.set_message("no such picture");
  worker.Fail(worker.AwaitAssignment().assignment_id(), failure);
  const v1::JobResult result = ResultOf(batch);
  EXPECT_EQ(result.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(result.error().code(), google::rpc::NOT_FOUND);
  EXPECT_EQ(result.error().message(), "no such picture");
  EXPECT_EQ(result.error().reason(), v1::REASON_HANDLER);
}

TEST_F(WorkerServiceTest, ACancelReachesTheWorker) {
  StubWorker worker(served_, ResizerHello());
  worker.AwaitWelcome();
  const std::string batch = SubmitResizes(1);
  const std::string id = worker.AwaitAssignment().assignment_id();
  Cancel(batch, std::chrono::minutes(5));
  const v1::StopAttempts stop = worker.AwaitStop();
  EXPECT_THAT(stop.assignment_ids(), ElementsAre(id));
  EXPECT_EQ(engine::FromDuration(stop.grace_period()), std::chrono::minutes(5));
  v1::AttemptFailure stopped;
  stopped.set_code(google::rpc::CANCELLED);
  worker.Fail(id, stopped);
  EXPECT_EQ(ResultOf(batch).state(), v1::JOB_STATE_CANCELLED);
}

TEST_F(WorkerServiceTest, AWorkerThatDoesNotStopIsNotWaitedFor) {
  StubWorker worker(served_, ResizerHello());
  worker.AwaitWelcome();
  const std::string batch = SubmitResizes(1);
  const std::string id = worker.AwaitAssignment().assignment_id();
  Cancel(batch, milliseconds(1));
  EXPECT_EQ(ResultOf(batch).state(), v1::JOB_STATE_CANCELLED);
  worker.Succeed(id, "late");
  EXPECT_THAT(worker.AwaitAcknowledged().refused_ids(), ElementsAre(id));
}

TEST_F(WorkerServiceTest, OutputAndProgressAreEvents) {
  StubWorker worker(served_, ResizerHello());
  worker.AwaitWelcome();
  v1::Job job = HandlerJob("resize");
  job.mutable_options()->set_stream_output(true);
  const std::string batch = Submit(served_, BatchOf(1, job)).id();
  const v1::Assignment assignment = worker.AwaitAssignment();
  EXPECT_TRUE(assignment.stream_output());
  v1::WorkRequest output;
  output.mutable_output()->set_assignment_id(assignment.assignment_id());
  output.mutable_output()->set_output("line");
  worker.Send(output);
  v1::WorkRequest progress;
  progress.mutable_progress()->set_assignment_id(assignment.assignment_id());
  progress.mutable_progress()->set_fraction(0.5);
  progress.mutable_progress()->set_message("half");
  worker.Send(progress);
  worker.Succeed(assignment.assignment_id());
  const auto events = Results(served_, batch);
  ASSERT_THAT(events, SizeIs(4));
  EXPECT_EQ(events[0].output().output(), "line");
  EXPECT_EQ(events[1].progress().fraction(), 0.5);
  EXPECT_EQ(events[1].progress().message(), "half");
  EXPECT_TRUE(events[2].has_result());
}

TEST_F(WorkerServiceTest, MoreOutputThanTheServerKeepsInMemoryIsReadOn) {
  StubWorker worker(served_, ResizerHello());
  worker.AwaitWelcome();
  const std::string batch = SubmitResizes(1);
  const std::string id = worker.AwaitAssignment().assignment_id();
  v1::WorkRequest output;
  output.mutable_output()->set_assignment_id(id);
  output.mutable_output()->set_output(std::string(1 << 20, 'x'));
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(worker.Send(output));
  worker.Succeed(id);
  EXPECT_THAT(worker.AwaitAcknowledged().assignment_ids(), ElementsAre(id));
  EXPECT_THAT(Results(served_, batch), SizeIs(2)) << "nobody asked for it";
}

TEST_F(WorkerServiceTest, ABrokenStreamIsTakenUp) {
  StubWorker worker(served_, ResizerHello());
  const std::string session_id = worker.AwaitWelcome().session_id();
  const std::string batch = SubmitResizes(2);
  const std::string first = worker.AwaitAssignment().assignment_id();
  const std::string second = worker.AwaitAssignment().assignment_id();
  worker.Break();

  StubWorker again(served_, worker.HelloAgain());
  const v1::WorkerWelcome welcome = again.AwaitWelcome();
  EXPECT_EQ(welcome.session_id(), session_id);
  EXPECT_THAT(welcome.assignment_ids(), testing::UnorderedElementsAre(first, second));
  again.Succeed(first, "1");
  again.Succeed(second, "2");
  for (const v1::Event& event : Results(served_, batch)) {
    if (!event.has_result()) continue;
    EXPECT_EQ(event.result().state(), v1::JOB_STATE_SUCCEEDED);
    EXPECT_EQ(event.result().attempts(), 1);
  }
}

TEST_F(WorkerServiceTest, WhatTheWorkerLostWithItsStreamRunsAgain) {
  StubWorker worker(served_, ResizerHello());
  worker.AwaitWelcome();
  const std::string batch = SubmitResizes(1);
  worker.AwaitAssignment();
  worker.Break();
  StubWorker::Hello without = worker.HelloAgain();
  without.clear_assignment_ids();
  StubWorker again(served_, without);
  EXPECT_THAT(again.AwaitWelcome().assignment_ids(), IsEmpty());
  const v1::Assignment assignment = again.AwaitAssignment();
  EXPECT_EQ(assignment.attempt(), 2);
  again.Succeed(assignment.assignment_id());
  EXPECT_EQ(ResultOf(batch).attempts(), 2);
}

TEST_F(WorkerServiceTest, HeldIdsThatNobodyKnowsAreNotItsOwn) {
  StubWorker::Hello hello = ResizerHello();
  hello.add_assignment_ids("0193f2a1-7c00-7abc-8def-0123456789ab/0/1.2.3");
  hello.add_assignment_ids("nonsense");
  StubWorker worker(served_, hello);
  EXPECT_THAT(worker.AwaitWelcome().assignment_ids(), IsEmpty());
  worker.Succeed("nonsense");
  EXPECT_THAT(worker.AwaitAcknowledged().refused_ids(), ElementsAre("nonsense"));
}

TEST_F(WorkerServiceTest, ASecondStreamOfASessionTakesItOver) {
  StubWorker worker(served_, ResizerHello());
  worker.AwaitWelcome();
  StubWorker successor(served_, worker.HelloAgain());
  successor.AwaitWelcome();
  const grpc::Status status = worker.AwaitEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(ReasonIn(status), "SESSION_TAKEN");
}

TEST_F(WorkerServiceTest, AWorkerThatLeavesFinishesWhatItHolds) {
  StubWorker worker(served_, ResizerHello(/*slots=*/1));
  worker.AwaitWelcome();
  const std::string batch = SubmitResizes(2);
  const std::string id = worker.AwaitAssignment().assignment_id();
  worker.Leave();
  worker.Succeed(id);
  EXPECT_THAT(worker.AwaitAcknowledged().assignment_ids(), ElementsAre(id));
  worker.Close();
  EXPECT_TRUE(worker.AwaitEnd().ok());
  // The other job is for one who comes later.
  StubWorker next(served_, ResizerHello());
  next.AwaitWelcome();
  next.Succeed(next.AwaitAssignment().assignment_id());
  EXPECT_THAT(Results(served_, batch), SizeIs(3));
}

TEST_F(WorkerServiceTest, WhatIsUnderWayToAWorkerThatLeavesIsAnothersAtOnce) {
  StubWorker worker(served_, ResizerHello(/*slots=*/1));
  worker.AwaitWelcome();
  const std::string batch = SubmitResizes(1);
  // As one that leaves before it has read this.
  worker.AwaitAssignment();
  worker.Leave({});
  worker.Close();
  EXPECT_TRUE(worker.AwaitEnd().ok());
  StubWorker next(served_, ResizerHello());
  next.AwaitWelcome();
  const v1::Assignment assignment = next.AwaitAssignment();
  EXPECT_EQ(assignment.attempt(), 1);
  next.Succeed(assignment.assignment_id());
  EXPECT_THAT(Results(served_, batch), SizeIs(2)) << "a result and the end: nothing was lost";
}

TEST_F(WorkerServiceTest, ADrainIsSaidAndNobodyNewIsTaken) {
  StubWorker worker(served_, ResizerHello());
  worker.AwaitWelcome();
  served_.server().Drain();
  worker.AwaitDrain();
  StubWorker late(served_, ResizerHello());
  const grpc::Status refused = late.AwaitEnd();
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(DetailsOfKind<google::rpc::RetryInfo>(refused), SizeIs(1));
}

TEST_F(WorkerServiceTest, AStopEndsStreamsWithUnavailable) {
  StubWorker worker(served_, ResizerHello());
  worker.AwaitWelcome();
  std::thread stopping([this] { served_.server().Stop(std::chrono::hours(1)); });
  EXPECT_EQ(worker.AwaitEnd().error_code(), grpc::StatusCode::UNAVAILABLE);
  stopping.join();
}

TEST_F(WorkerServiceTest, WhatIsWrongIsNamed) {
  StubWorker::Hello hello = ResizerHello();
  hello.add_handlers("echo");
  const grpc::Status own_handler = StubWorker(served_, hello).AwaitEnd();
  EXPECT_EQ(own_handler.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(FieldsIn(own_handler), ElementsAre("hello.handlers[1]"));

  StubWorker twice(served_, ResizerHello());
  twice.AwaitWelcome();
  v1::WorkRequest again;
  *again.mutable_hello() = ResizerHello();
  twice.Send(again);
  EXPECT_THAT(FieldsIn(twice.AwaitEnd()), ElementsAre("hello"));

  StubWorker long_message(served_, ResizerHello());
  long_message.AwaitWelcome();
  long_message.Succeed("x", std::string(engine::kWorkerMessageBytesMax, 'x'));
  EXPECT_EQ(long_message.AwaitEnd().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(WorkerServiceTest, WhatDoesNotParseIsRefused) {
  GenericCall call(served_.Connect(), "/jobrunner.v1.WorkerService/Work");
  call.Send("\x07 nonsense");
  EXPECT_EQ(call.Receive(), std::nullopt);
  const grpc::Status status = call.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonIn(status), "INVALID_ARGUMENT");
}

TEST_F(WorkerServiceTest, AStreamThatSaysNothingEndsWell) {
  const auto stub = v1::WorkerService::NewStub(served_.Connect());
  grpc::ClientContext context;
  const auto stream = stub->Work(&context);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

class ShortLease : public WorkerServiceTest {
 protected:
  ShortLease() : WorkerServiceTest(Options()) {}

  static ServedOptions Options() {
    ServedOptions options;
    options.worker_lease = std::chrono::seconds(1);
    return options;
  }
};

TEST_F(ShortLease, AWorkerThatDoesNotAnswerLosesItsAttempts) {
  StubWorker silent(served_, ResizerHello());
  silent.AwaitWelcome();
  const std::string batch = SubmitResizes(1);
  const std::string lost = silent.AwaitAssignment().assignment_id();
  const grpc::Status status = silent.AwaitEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(ReasonIn(status), "LEASE_EXPIRED");

  // It comes back too late with what it holds, and brings its outcome all the same.
  StubWorker late(served_, silent.HelloAgain());
  EXPECT_THAT(late.AwaitWelcome().assignment_ids(), IsEmpty());
  late.Succeed(lost, "late");
  EXPECT_THAT(late.AwaitAcknowledged().refused_ids(), Contains(lost));

  const v1::Assignment second = late.AwaitAssignment();
  EXPECT_EQ(second.attempt(), 2);
  late.Succeed(second.assignment_id(), "in time");
  const auto events = Results(served_, batch);
  ASSERT_THAT(events, SizeIs(3));
  EXPECT_EQ(events[0].attempt_error().error().reason(), v1::REASON_WORKER_LOST);
  EXPECT_EQ(events[1].result().output(), "in time");
}

TEST_F(ShortLease, AWorkerThatAnswersKeepsItsAttempts) {
  StubWorker worker(served_, ResizerHello());
  worker.AwaitWelcome();
  const std::string batch = SubmitResizes(1);
  const std::string id = worker.AwaitAssignment().assignment_id();
  std::thread answering([&] { worker.AwaitStop(); });
  // Another one is silent for a lease.
  StubWorker silent(served_, ResizerHello(/*slots=*/0));
  silent.AwaitWelcome();
  EXPECT_EQ(ReasonIn(silent.AwaitEnd()), "LEASE_EXPIRED");
  Cancel(batch, std::chrono::minutes(5));
  answering.join();
  worker.Succeed(id);
  EXPECT_THAT(worker.AwaitAcknowledged().refused_ids(), IsEmpty());
  EXPECT_EQ(ResultOf(batch).attempts(), 1);
}

}  // namespace
}  // namespace jobrunner::rpc
