#include "rpc/worker_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/proto_time.h"
#include "google/rpc/code.pb.h"
#include "rpc/connected_worker.h"
#include "rpc/status.h"

namespace jobrunner::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;

std::string Quoted(const std::string& id) { return absl::StrCat("\"", id, "\""); }
std::string OutcomeText(uint64_t number, const std::string& rest = "") {
  return absl::StrCat("outcomes { outcomes { assignment_id: ", Quoted(IdOf(number)), " ", rest,
                      " } }");
}

class WorkerSessionTest : public testing::Test {
 protected:
  // Runs the attempt to where its outcome was told.
  void Finish(uint64_t number) {
    worker_.Start(number);
    worker_.Read();
    ASSERT_TRUE(worker_.Send(OutcomeText(number)).ok());
    ASSERT_THAT(with_.engine.TakeOutcomes(), SizeIs(1));
  }

  static void ExpectRefused(const absl::Status& status, const std::string& path) {
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()), StartsWith(path + ": "));
  }

  Sessions with_;
  ConnectedWorker worker_{&with_};
};

TEST_F(WorkerSessionTest, TheFirstMessageIsHello) {
  ExpectRefused(worker_.Send("leave {}"), "hello");
  ExpectRefused(worker_.Send(""), "kind");
}

TEST_F(WorkerSessionTest, OnlyTheFirstMessageIsHello) {
  worker_.Enter();
  v1::WorkRequest again;
  *again.mutable_hello() = HelloOf("w");
  ExpectRefused(worker_.Send(again), "hello");
}

TEST_F(WorkerSessionTest, NothingIsSentBeforeTheWelcome) {
  worker_.Join();
  with_.engine.Take<engine::WorkerJoin>();
  for (const char* kind : {"slots", "lease_answer", "output", "progress", "outcomes", "leave"}) {
    ExpectRefused(worker_.Send(absl::StrCat(kind, " {}")), kind);
  }
  EXPECT_TRUE(with_.engine.was_told_nothing());
}

TEST_F(WorkerSessionTest, TheEngineHearsWhoJoins) {
  v1::WorkerHello hello = HelloOf("w7");
  hello.add_handlers("blur");
  hello.add_assignment_ids(IdOf(5));
  hello.add_assignment_ids("what another server made");
  hello.add_assignment_ids(IdOf(5));
  worker_.Join(hello);
  const auto joins = with_.engine.Take<engine::WorkerJoin>();
  ASSERT_THAT(joins, SizeIs(1));
  EXPECT_NE(joins[0].worker, engine::kOwnPool);
  EXPECT_EQ(joins[0].previous, engine::kOwnPool);
  EXPECT_EQ(joins[0].name, "w7");
  EXPECT_THAT(joins[0].handlers, ElementsAre("resize", "blur"));
  EXPECT_EQ(joins[0].slots, 10);
  ASSERT_THAT(joins[0].held, SizeIs(1));
  EXPECT_EQ(joins[0].held[0].index, 5);
  EXPECT_EQ(joins[0].held[0].token, TokenOf(5));
  EXPECT_EQ(joins[0].held[0].batch_id, IdOf(5).substr(0, 36));
  EXPECT_THAT(worker_.Read(), IsEmpty()) << "it is the engine that welcomes";
}

TEST_F(WorkerSessionTest, TheWelcomeSaysWhatToGoOnWith) {
  v1::WorkerHello hello = HelloOf("w");
  hello.add_assignment_ids(IdOf(5));
  hello.add_assignment_ids(IdOf(6));
  const v1::WorkerWelcome welcome =
      worker_.Enter(hello, {{.held = TokenOf(6), .token = TokenOf(90)}});
  EXPECT_FALSE(welcome.session_id().empty());
  EXPECT_EQ(engine::FromDuration(welcome.lease()), kTestLease);
  EXPECT_THAT(welcome.assignment_ids(), ElementsAre(IdOf(6)));

  // What goes on keeps its id; the engine knows it by its new token.
  ASSERT_TRUE(worker_.Send(OutcomeText(6)).ok());
  const auto outcomes = with_.engine.TakeOutcomes();
  ASSERT_THAT(outcomes, SizeIs(1));
  EXPECT_EQ(outcomes[0].token, TokenOf(90));
  worker_.Acknowledge(90);
  EXPECT_THAT(worker_.ReadOne().acknowledged().assignment_ids(), ElementsAre(IdOf(6)));

  // The other one is nobody's.
  ASSERT_TRUE(worker_.Send(OutcomeText(5)).ok());
  EXPECT_THAT(worker_.ReadOne().acknowledged().refused_ids(), ElementsAre(IdOf(5)));
}

TEST_F(WorkerSessionTest, AnAssignmentSaysAllThatTheWorkerNeeds) {
  worker_.Enter();
  engine::RemoteOrders orders;
  orders.starts.push_back(StartOf(3, "the payload"));
  engine::Assignment& start = orders.starts.back();
  start.at = worker_.id();
  start.attempt = 2;
  start.stream_output = true;
  start.deadline = with_.clock.Read().steady + seconds(30);
  start.wall_deadline = with_.clock.Read().wall + seconds(30);
  const base::WallTime wall_deadline = start.wall_deadline;
  worker_.Perform(std::move(orders));
  // It waits for the writer.
  with_.clock.Advance(seconds(1));
  const auto response = worker_.ReadOne();
  ASSERT_EQ(response.assignments().assignments_size(), 1);
  const v1::Assignment& assignment = response.assignments().assignments(0);
  EXPECT_EQ(assignment.assignment_id(), IdOf(3));
  EXPECT_EQ(assignment.batch_id(), IdOf(3).substr(0, 36));
  EXPECT_EQ(assignment.job_index(), 3);
  EXPECT_EQ(assignment.job_key(), "key");
  EXPECT_EQ(assignment.attempt(), 2);
  EXPECT_EQ(assignment.handler().name(), "resize");
  EXPECT_EQ(assignment.handler().payload(), "the payload");
  EXPECT_TRUE(assignment.stream_output());
  EXPECT_EQ(engine::FromDuration(assignment.time_left()), seconds(29));
  EXPECT_EQ(assignment.deadline().seconds(), engine::ToTimestamp(wall_deadline).seconds());
}

TEST_F(WorkerSessionTest, AnAssignmentThatNothingBoundsHasNoDeadline) {
  worker_.Enter();
  worker_.Start(3);
  const auto response = worker_.ReadOne();
  EXPECT_FALSE(response.assignments().assignments(0).has_time_left());
  EXPECT_FALSE(response.assignments().assignments(0).has_deadline());
}

TEST_F(WorkerSessionTest, WhatCameWhileTheWriterWasBusyGoesInOneMessageOfEachKind) {
  worker_.Enter();
  for (uint64_t number = 1; number <= 100; ++number) Finish(number);
  for (uint64_t number = 1; number <= 100; ++number) {
    worker_.Acknowledge(number);
    worker_.Start(number + 100);
  }
  const auto messages = worker_.Read();
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(messages[0].assignments().assignments_size(), 100);
  EXPECT_EQ(messages[1].acknowledged().assignment_ids_size(), 100);
}

TEST_F(WorkerSessionTest, TheWriterIsWokenOnceForWhatCameTogether) {
  worker_.Enter();
  const int before = worker_.wakes();
  worker_.Start(1);
  worker_.Start(2);
  EXPECT_EQ(worker_.wakes(), before + 1);
  worker_.Read();
  worker_.Start(3);
  EXPECT_EQ(worker_.wakes(), before + 2);
}

TEST_F(WorkerSessionTest, ManyLargeAssignmentsGoInMessagesOfAMebibyte) {
  worker_.Enter();
  for (uint64_t number = 1; number <= 20; ++number) {
    worker_.Start(number, std::string(300 << 10, 'x'));
  }
  int assignments = 0;
  for (const auto& message : worker_.Read()) {
    assignments += message.assignments().assignments_size();
  }
  EXPECT_EQ(assignments, 20);
  EXPECT_THAT(worker_.message_sizes(), SizeIs(1 + 7));
  for (const size_t bytes : worker_.message_sizes()) {
    EXPECT_LE(bytes, static_cast<size_t>(engine::kMessageBytesMax));
  }
}

TEST_F(WorkerSessionTest, StopsOfOneGraceGoInOneMessage) {
  worker_.Enter();
  for (uint64_t number = 1; number <= 3; ++number) worker_.Start(number);
  worker_.Read();
  worker_.Stop(1, seconds(5));
  worker_.Stop(2, seconds(1));
  worker_.Stop(3, seconds(5));
  worker_.Stop(4, seconds(9));
  const auto messages = worker_.Read();
  ASSERT_THAT(messages, SizeIs(2)) << "of the fourth nobody knows";
  EXPECT_THAT(messages[0].stop().assignment_ids(), ElementsAre(IdOf(1), IdOf(3)));
  EXPECT_EQ(engine::FromDuration(messages[0].stop().grace_period()), seconds(5));
  EXPECT_THAT(messages[1].stop().assignment_ids(), ElementsAre(IdOf(2)));
  EXPECT_EQ(engine::FromDuration(messages[1].stop().grace_period()), seconds(1));
}

TEST_F(WorkerSessionTest, AnOutcomeBecomesTheEngines) {
  worker_.Enter();
  worker_.Start(1);
  worker_.Read();
  with_.clock.Advance(milliseconds(250));
  ASSERT_TRUE(worker_.Send(OutcomeText(1, "output: 'done'")).ok());
  const auto outcomes = with_.engine.TakeOutcomes();
  ASSERT_THAT(outcomes, SizeIs(1));
  EXPECT_EQ(outcomes[0].token, TokenOf(1));
  EXPECT_EQ(outcomes[0].at, worker_.id());
  EXPECT_EQ(outcomes[0].output, "done");
  EXPECT_EQ(outcomes[0].failure, nullptr);
  EXPECT_EQ(outcomes[0].run_time, milliseconds(250)) << "measured here";
}

TEST_F(WorkerSessionTest, AFailureSaysWhatTheWorkerSaid) {
  worker_.Enter();
  worker_.Start(1);
  worker_.Start(2);
  worker_.Read();
  ASSERT_TRUE(worker_
                  .Send(OutcomeText(1,
                                    "run_time { seconds: 3 } failure { code: 5 message: 'gone' "
                                    "final: true critical: true }"))
                  .ok());
  ASSERT_TRUE(worker_.Send(OutcomeText(2, "failure {}")).ok());
  const auto outcomes = with_.engine.TakeOutcomes();
  ASSERT_THAT(outcomes, SizeIs(2));
  ASSERT_NE(outcomes[0].failure, nullptr);
  EXPECT_EQ(outcomes[0].failure->code, google::rpc::NOT_FOUND);
  EXPECT_EQ(outcomes[0].failure->message, "gone");
  EXPECT_EQ(outcomes[0].failure->reason, v1::REASON_HANDLER);
  EXPECT_TRUE(outcomes[0].failure->final);
  EXPECT_TRUE(outcomes[0].failure->critical);
  EXPECT_EQ(outcomes[0].run_time, seconds(3));
  ASSERT_NE(outcomes[1].failure, nullptr);
  EXPECT_EQ(outcomes[1].failure->code, google::rpc::UNKNOWN);
  EXPECT_FALSE(outcomes[1].failure->final);
  EXPECT_FALSE(outcomes[1].failure->critical);
}

TEST_F(WorkerSessionTest, OfTheReasonsThoseOfACommandAreTheWorkersToGive) {
  worker_.Enter();
  worker_.Start(1);
  worker_.Start(2);
  worker_.Read();
  ASSERT_TRUE(worker_.Send(OutcomeText(1, "failure { reason: REASON_EXIT_CODE }")).ok());
  ASSERT_TRUE(worker_.Send(OutcomeText(2, "failure { reason: REASON_CLIENT_CANCEL }")).ok());
  const auto outcomes = with_.engine.TakeOutcomes();
  ASSERT_THAT(outcomes, SizeIs(2));
  EXPECT_EQ(outcomes[0].failure->reason, v1::REASON_EXIT_CODE);
  EXPECT_EQ(outcomes[1].failure->reason, v1::REASON_HANDLER);
}

TEST_F(WorkerSessionTest, ManyOutcomesAreToldAtOnce) {
  worker_.Enter();
  v1::WorkRequest message;
  for (uint64_t number = 1; number <= 50; ++number) {
    worker_.Start(number);
    message.mutable_outcomes()->add_outcomes()->set_assignment_id(IdOf(number));
  }
  worker_.Read();
  ASSERT_TRUE(worker_.Send(message).ok());
  const auto told = with_.engine.Take<std::vector<engine::Outcome>>();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_THAT(told[0], SizeIs(50));
}

TEST_F(WorkerSessionTest, AnOutcomeThatIsSentAgainIsToldOnce) {
  worker_.Enter();
  Finish(1);
  ASSERT_TRUE(worker_.Send(OutcomeText(1)).ok());
  EXPECT_THAT(with_.engine.TakeOutcomes(), IsEmpty());
  EXPECT_THAT(worker_.Read(), IsEmpty()) << "the first one will be acknowledged";
}

TEST_F(WorkerSessionTest, AnAcknowledgementEndsTheAttempt) {
  worker_.Enter();
  Finish(1);
  Finish(2);
  worker_.Acknowledge(1);
  worker_.Acknowledge(2, /*accepted=*/false);
  const auto response = worker_.ReadOne();
  EXPECT_THAT(response.acknowledged().assignment_ids(), ElementsAre(IdOf(1), IdOf(2)));
  EXPECT_THAT(response.acknowledged().refused_ids(), ElementsAre(IdOf(2)));

  // From here on it is unknown.
  ASSERT_TRUE(worker_.Send(OutcomeText(1)).ok());
  EXPECT_THAT(with_.engine.TakeOutcomes(), IsEmpty());
  EXPECT_THAT(worker_.ReadOne().acknowledged().refused_ids(), ElementsAre(IdOf(1)));
}

TEST_F(WorkerSessionTest, AnOutcomeOfWhatItDoesNotHoldIsRefusedAtOnce) {
  worker_.Enter();
  const int before = worker_.wakes();
  ASSERT_TRUE(worker_.Send(OutcomeText(77)).ok());
  ASSERT_TRUE(worker_.Send("outcomes { outcomes { assignment_id: 'nonsense' } }").ok());
  EXPECT_EQ(worker_.wakes(), before + 1);
  EXPECT_TRUE(with_.engine.was_told_nothing());
  const auto response = worker_.ReadOne();
  EXPECT_THAT(response.acknowledged().assignment_ids(), UnorderedElementsAre(IdOf(77), "nonsense"));
  EXPECT_THAT(response.acknowledged().refused_ids(), UnorderedElementsAre(IdOf(77), "nonsense"));
}

TEST_F(WorkerSessionTest, AMalformedOutcomeIsNamedAndNothingOfItsMessageIsTold) {
  worker_.Enter();
  worker_.Start(1);
  worker_.Read();
  const std::string good = absl::StrCat("outcomes { assignment_id: ", Quoted(IdOf(1)), " }");
  const auto send = [&](const std::string& second) {
    return worker_.Send(absl::StrCat("outcomes { ", good, " outcomes { ", second, " } }"));
  };
  ExpectRefused(send("command { output_bytes: -1 }"), "outcomes.outcomes[1].command.output_bytes");
  ExpectRefused(send("command { usage { user_time { seconds: -1 } } }"),
                "outcomes.outcomes[1].command.usage.user_time");
  ExpectRefused(send("run_time { seconds: -1 }"), "outcomes.outcomes[1].run_time");
  ExpectRefused(send(absl::StrCat("assignment_id: ", Quoted(std::string(91, '1')))),
                "outcomes.outcomes[1].assignment_id");
  EXPECT_TRUE(with_.engine.was_told_nothing());
}

TEST_F(WorkerSessionTest, ACodeThatIsNoneStandsForUnknown) {
  worker_.Enter();
  uint64_t number = 0;
  for (const int code : {0, -1, 17, 2, 16}) {
    worker_.Start(++number);
    worker_.Read();
    ASSERT_TRUE(worker_
                    .Send(absl::StrCat("outcomes { outcomes { assignment_id: ",
                                       Quoted(IdOf(number)), " failure { code: ", code, " } } }"))
                    .ok());
  }
  std::vector<int> codes;
  for (const engine::Outcome& outcome : with_.engine.TakeOutcomes()) {
    codes.push_back(outcome.failure->code);
  }
  EXPECT_THAT(codes, ElementsAre(2, 2, 2, 2, 16));
}

TEST_F(WorkerSessionTest, OutputThatIsWantedIsTold) {
  worker_.Enter();
  worker_.Start(1, "", /*stream_output=*/true);
  worker_.Start(2, "", /*stream_output=*/false);
  worker_.Read();
  for (const uint64_t number : {1, 2, 3}) {
    ASSERT_TRUE(worker_
                    .Send(absl::StrCat("output { assignment_id: ", Quoted(IdOf(number)),
                                       " output: 'o' error_output: 'e' }"))
                    .ok());
  }
  const auto chunks = with_.engine.Take<engine::OutputChunk>();
  ASSERT_THAT(chunks, SizeIs(1)) << "the second is not wanted, the third unknown";
  EXPECT_EQ(chunks[0].token, TokenOf(1));
  EXPECT_EQ(chunks[0].output, "o");
  EXPECT_EQ(chunks[0].error_output, "e");
  EXPECT_FALSE(chunks[0].truncated);
  EXPECT_TRUE(with_.engine.was_told_nothing());
}

TEST_F(WorkerSessionTest, ProgressIsTold) {
  worker_.Enter();
  worker_.Start(1);
  worker_.Read();
  ASSERT_TRUE(worker_
                  .Send(absl::StrCat("progress { assignment_id: ", Quoted(IdOf(1)),
                                     " fraction: 0.5 message: 'half' }"))
                  .ok());
  ASSERT_TRUE(worker_.Send("progress { assignment_id: 'unknown' }").ok());
  const auto reports = with_.engine.Take<engine::ProgressReport>();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].token, TokenOf(1));
  EXPECT_EQ(reports[0].fraction, 0.5);
  EXPECT_EQ(reports[0].message, "half");
}

TEST_F(WorkerSessionTest, ProgressIsBetweenNothingAndAll) {
  worker_.Enter();
  worker_.Start(1);
  worker_.Read();
  for (const char* said : {"1.1", "-0.1", "nan", "inf", "-inf", "1"}) {
    ASSERT_TRUE(worker_
                    .Send(absl::StrCat("progress { assignment_id: ", Quoted(IdOf(1)),
                                       " fraction: ", said, " }"))
                    .ok());
  }
  std::vector<double> told;
  for (const auto& report : with_.engine.Take<engine::ProgressReport>()) {
    told.push_back(report.fraction);
  }
  EXPECT_THAT(told, ElementsAre(1, 0, 0, 1, 0, 1));
}

TEST_F(WorkerSessionTest, ACheckIsAnsweredWithWhatIsHeld) {
  worker_.Enter();
  worker_.Start(1);
  worker_.Start(2);
  worker_.Read();
  worker_.Check(1, {1, 2});
  const auto check = worker_.ReadOne().lease_check();
  EXPECT_EQ(check.number(), 1);
  EXPECT_THAT(check.assignment_ids(), ElementsAre(IdOf(1), IdOf(2)));
  ASSERT_TRUE(worker_
                  .Send(absl::StrCat("lease_answer { number: 1 assignment_ids: ", Quoted(IdOf(2)),
                                     " assignment_ids: ", Quoted(IdOf(9)), " }"))
                  .ok());
  const auto answers = with_.engine.Take<engine::WorkerAnswer>();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].worker, worker_.id());
  EXPECT_EQ(answers[0].number, 1);
  EXPECT_THAT(answers[0].held, ElementsAre(TokenOf(2)));

  // What nobody knows it holds, it is to stop at once.
  const auto stop = worker_.ReadOne().stop();
  EXPECT_THAT(stop.assignment_ids(), ElementsAre(IdOf(9)));
  EXPECT_EQ(engine::FromDuration(stop.grace_period()), nanoseconds(0));

  // What it does not hold is forgotten.
  ASSERT_TRUE(worker_.Send(OutcomeText(1)).ok());
  EXPECT_THAT(worker_.ReadOne().acknowledged().refused_ids(), ElementsAre(IdOf(1)));
}

TEST_F(WorkerSessionTest, ACheckNamesWhatWentOutBeforeIt) {
  worker_.Enter();
  // Of one Step, which checked before it started.
  engine::RemoteOrders orders;
  orders.starts.push_back(StartOf(1));
  orders.starts.back().at = worker_.id();
  orders.checks.push_back({worker_.id(), 1, {}});
  worker_.Perform(std::move(orders));
  const auto messages = worker_.Read();
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_TRUE(messages[0].has_assignments());
  EXPECT_THAT(messages[1].lease_check().assignment_ids(), ElementsAre(IdOf(1)));
}

TEST_F(WorkerSessionTest, WhatWasSentAfterACheckIsNotMissedInItsAnswer) {
  worker_.Enter();
  worker_.Check(1, {});
  worker_.Read();
  worker_.Start(1);
  worker_.Read();
  ASSERT_TRUE(worker_.Send("lease_answer { number: 1 }").ok());
  ASSERT_TRUE(worker_.Send(OutcomeText(1)).ok());
  EXPECT_THAT(with_.engine.TakeOutcomes(), SizeIs(1));
}

TEST_F(WorkerSessionTest, AnAnswerToNoCheckIsRefused) {
  worker_.Enter();
  worker_.Check(4, {});
  worker_.Read();
  ExpectRefused(worker_.Send("lease_answer { number: 5 }"), "lease_answer.number");
  ExpectRefused(worker_.Send("lease_answer { number: 0 }"), "lease_answer.number");
  ExpectRefused(worker_.Send(absl::StrCat("lease_answer { number: 4 assignment_ids: ",
                                          Quoted(std::string(91, 'x')), " }")),
                "lease_answer.assignment_ids[0]");
}

TEST_F(WorkerSessionTest, ResizingAndLeavingAreTold) {
  worker_.Enter();
  ASSERT_TRUE(worker_.Send("slots { slots: 3 }").ok());
  ASSERT_TRUE(worker_.Send("leave {}").ok());
  const auto resizes = with_.engine.Take<engine::WorkerResize>();
  ASSERT_THAT(resizes, SizeIs(1));
  EXPECT_EQ(resizes[0].worker, worker_.id());
  EXPECT_EQ(resizes[0].slots, 3);
  const auto leavings = with_.engine.Take<engine::WorkerLeaving>();
  ASSERT_THAT(leavings, SizeIs(1));
  EXPECT_EQ(leavings[0].worker, worker_.id());
  EXPECT_FALSE(leavings[0].held.has_value()) << "it did not say";
  ExpectRefused(worker_.Send("slots { slots: -1 }"), "slots.slots");
  ExpectRefused(worker_.Send("slots { slots: 10001 }"), "slots.slots");
}

TEST_F(WorkerSessionTest, WhoLeavesSaysWhatItHolds) {
  worker_.Enter();
  worker_.Start(1);
  worker_.Start(2);
  worker_.Read();
  const std::string ids = absl::StrCat("assignment_ids: ", Quoted(IdOf(2)),
                                       " assignment_ids: 'what another server made'");
  ASSERT_TRUE(worker_.Send(absl::StrCat("leave { held { ", ids, " } }")).ok());
  const auto leavings = with_.engine.Take<engine::WorkerLeaving>();
  ASSERT_THAT(leavings, SizeIs(1));
  ASSERT_TRUE(leavings[0].held.has_value());
  EXPECT_THAT(*leavings[0].held, ElementsAre(TokenOf(2)));
  ExpectRefused(worker_.Send(absl::StrCat(
                    "leave { held { assignment_ids: ", Quoted(std::string(91, 'x')), " } }")),
                "leave.held.assignment_ids[0]");
}

TEST_F(WorkerSessionTest, AnErrorEndsItWithoutWaitingForWhatIsToBeWritten) {
  worker_.Enter();
  engine::RemoteOrders orders;
  orders.starts.push_back(StartOf(1));
  orders.starts.back().at = worker_.id();
  orders.ends.push_back({worker_.id(), absl::AbortedError("expired")});
  worker_.Perform(std::move(orders));
  EXPECT_THAT(worker_.Read(), IsEmpty());
  EXPECT_TRUE(worker_.ended());
  EXPECT_EQ(worker_.end(), absl::AbortedError("expired"));
}

TEST_F(WorkerSessionTest, AGoodEndComesAfterWhatIsToBeWritten) {
  worker_.Enter();
  Finish(1);
  worker_.Acknowledge(1);
  worker_.End(absl::OkStatus());
  EXPECT_THAT(worker_.Read(), SizeIs(1));
  EXPECT_TRUE(worker_.ended());
}

TEST_F(WorkerSessionTest, AWorkerThatSendsAndDoesNotReadIsEnded) {
  worker_.Enter();
  v1::WorkRequest message;
  for (int i = 0; i < engine::kWorkerSlotsMax; ++i) {
    message.mutable_outcomes()->add_outcomes()->set_assignment_id(IdOf(i));
  }
  absl::Status status;
  int sent = 0;
  while (status.ok() && sent < 100) {
    status = worker_.Send(message);
    ++sent;
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(sent, 11) << "ten times what a worker can hold is not too much";
}

TEST_F(WorkerSessionTest, AnswersToManyUnknownIdsGoInSeveralMessages) {
  worker_.Enter();
  worker_.Check(1, {});
  worker_.Read();
  v1::WorkRequest answer;
  answer.mutable_lease_answer()->set_number(1);
  v1::WorkRequest outcomes;
  for (int i = 0; i < 25'000; ++i) {
    answer.mutable_lease_answer()->add_assignment_ids(IdOf(1'000'000 + i));
    outcomes.mutable_outcomes()->add_outcomes()->set_assignment_id(IdOf(2'000'000 + i));
  }
  ASSERT_TRUE(worker_.Send(answer).ok());
  ASSERT_TRUE(worker_.Send(outcomes).ok());
  int stopped = 0;
  int refused = 0;
  for (const auto& message : worker_.Read()) {
    stopped += message.stop().assignment_ids_size();
    refused += message.acknowledged().refused_ids_size();
  }
  EXPECT_EQ(stopped, 25'000);
  EXPECT_EQ(refused, 25'000);
  for (const size_t bytes : worker_.message_sizes()) {
    EXPECT_LE(bytes, static_cast<size_t>(engine::kMessageBytesMax));
  }
}

}  // namespace
}  // namespace jobrunner::rpc
