#include "rpc/worker_sessions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/uuid.h"
#include "rpc/connected_worker.h"

namespace jobrunner::rpc {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class WorkerSessionsTest : public testing::Test {
 protected:
  // Who a worker is that comes with this session, and what session it is given.
  std::pair<engine::WorkerJoin, std::string> Come(const std::string& session_id) {
    ConnectedWorker worker(&with_);
    v1::WorkerHello hello = HelloOf("w");
    hello.set_session_id(session_id);
    worker.Join(hello);
    auto joins = with_.engine.Take<engine::WorkerJoin>();
    engine::RemoteOrders orders;
    orders.welcomes.push_back({joins.back().worker, {}});
    worker.Perform(std::move(orders));
    std::string given = worker.ReadOne().welcome().session_id();
    worker.session().Close();
    return {std::move(joins.back()), std::move(given)};
  }

  absl::Status Hello(const std::function<void(v1::WorkerHello*)>& change) {
    ConnectedWorker worker(&with_);
    v1::WorkRequest message;
    *message.mutable_hello() = HelloOf("w");
    change(message.mutable_hello());
    return worker.Send(std::move(message));
  }

  void ExpectRefused(const std::string& path, const std::function<void(v1::WorkerHello*)>& change) {
    const absl::Status status = Hello(change);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()), StartsWith(path + ": "));
    EXPECT_TRUE(with_.engine.was_told_nothing());
  }

  Sessions with_;
};

TEST_F(WorkerSessionsTest, AHelloThatIsWrongNamesItsField) {
  ExpectRefused("hello.name", [](auto* hello) { hello->clear_name(); });
  ExpectRefused("hello.name", [](auto* hello) { hello->set_name(std::string(257, 'x')); });
  ExpectRefused("hello.name", [](auto* hello) { hello->set_name("a\nb"); });
  ExpectRefused("hello.handlers", [](auto* hello) { hello->clear_handlers(); });
  ExpectRefused("hello.handlers", [](auto* hello) {
    for (int i = 0; i < 1000; ++i) hello->add_handlers(absl::StrCat("h", i));
  });
  ExpectRefused("hello.handlers[1]", [](auto* hello) { hello->add_handlers(""); });
  ExpectRefused("hello.slots", [](auto* hello) { hello->set_slots(-1); });
  ExpectRefused("hello.slots", [](auto* hello) { hello->set_slots(10'001); });
  ExpectRefused("hello.labels", [](auto* hello) {
    for (int i = 0; i < 65; ++i) (*hello->mutable_labels())[absl::StrCat("l", i)] = "";
  });
  ExpectRefused("hello.labels[\"l\"]",
                [](auto* hello) { (*hello->mutable_labels())["l"] = std::string(257, 'x'); });
  ExpectRefused("hello.sdk", [](auto* hello) { hello->set_sdk(std::string(257, 'x')); });
}

TEST_F(WorkerSessionsTest, AHandlerThatTheServerHasItselfIsRefusedByName) {
  ExpectRefused("hello.handlers[1]", [](auto* hello) { hello->add_handlers("echo"); });
  const absl::Status status = Hello([](auto* hello) { hello->add_handlers("sleep"); });
  EXPECT_NE(status.message().find("\"sleep\""), absl::string_view::npos) << status;
}

TEST_F(WorkerSessionsTest, AHelloAtTheLimitsIsTaken) {
  const absl::Status status = Hello([](v1::WorkerHello* hello) {
    hello->set_name(std::string(256, 'x'));
    for (int i = 1; i < 1000; ++i) hello->add_handlers(absl::StrCat("h", i));
    hello->set_slots(10'000);
    for (int i = 0; i < 64; ++i) (*hello->mutable_labels())[absl::StrCat("l", i)] = "v";
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(WorkerSessionsTest, SessionIdsAreRandom) {
  const std::string first = Come("").second;
  const std::string second = Come("").second;
  EXPECT_TRUE(base::IsUuid(first));
  EXPECT_EQ(first[14], '4');
  EXPECT_NE(first, second);
}

TEST_F(WorkerSessionsTest, AWorkerThatComesBackIsKnownAgain) {
  const auto [first, session_id] = Come("");
  EXPECT_EQ(first.previous, engine::kOwnPool);
  with_.clock.Advance(kTestLease);
  const auto [second, same] = Come(session_id);
  EXPECT_EQ(second.previous, first.worker);
  EXPECT_NE(second.worker, first.worker);
  EXPECT_EQ(same, session_id);
  // And again, also if it came by its old name because it never saw a welcome.
  with_.clock.Advance(kTestLease);
  EXPECT_EQ(Come(session_id).first.previous, second.worker);
}

TEST_F(WorkerSessionsTest, WhatAnEarlierServerAssignedIsKnownAtEveryReturn) {
  v1::WorkerHello hello = HelloOf("w");
  hello.add_assignment_ids(IdOf(5));
  ConnectedWorker worker(&with_);
  hello.set_session_id(
      worker.Enter(hello, {{.held = TokenOf(5), .token = TokenOf(90)}}).session_id());
  worker.session().Close();

  ConnectedWorker again(&with_);
  again.Join(hello);
  const auto joins = with_.engine.Take<engine::WorkerJoin>();
  ASSERT_THAT(joins, SizeIs(1));
  ASSERT_THAT(joins[0].held, SizeIs(1));
  EXPECT_EQ(joins[0].held[0].token, TokenOf(90)) << "as the engine knows it by now";
  engine::RemoteOrders orders;
  orders.welcomes.push_back({joins[0].worker, {{.held = TokenOf(90), .token = TokenOf(90)}}});
  again.Perform(std::move(orders));
  EXPECT_THAT(again.ReadOne().welcome().assignment_ids(), testing::ElementsAre(IdOf(5)));
}

// Of an earlier server's session the worker knows that server's id until it has its welcome.
TEST_F(WorkerSessionsTest, WhoeverComesFromAnEarlierServerIsKnownByItsOldIdToo) {
  v1::WorkerHello hello = HelloOf("w");
  hello.set_session_id(base::RandomUuid());
  hello.add_assignment_ids(IdOf(5));
  ConnectedWorker first(&with_);
  first.Join(hello);
  first.session().Close();
  ConnectedWorker second(&with_);
  second.Join(hello);
  const auto joins = with_.engine.Take<engine::WorkerJoin>();
  ASSERT_THAT(joins, SizeIs(2));
  EXPECT_EQ(joins[0].previous, engine::kOwnPool);
  EXPECT_EQ(joins[1].previous, joins[0].worker);
}

TEST_F(WorkerSessionsTest, AfterALeaseASessionIsForgotten) {
  const auto [first, session_id] = Come("");
  with_.clock.Advance(kTestLease + std::chrono::nanoseconds(1));
  const auto [second, another] = Come(session_id);
  EXPECT_EQ(second.previous, engine::kOwnPool);
  EXPECT_NE(another, session_id);
}

TEST_F(WorkerSessionsTest, ASessionThatNobodyHasGivenOutIsNone) {
  const std::string made_up = base::RandomUuid();
  const auto [join, given] = Come(made_up);
  EXPECT_EQ(join.previous, engine::kOwnPool);
  EXPECT_NE(given, made_up);
}

TEST_F(WorkerSessionsTest, AStreamThatIsTakenUpDoesNotForgetItsSuccessor) {
  ConnectedWorker old(&with_);
  const std::string session_id = old.Enter().session_id();
  v1::WorkerHello hello = HelloOf("w");
  hello.set_session_id(session_id);
  ConnectedWorker successor(&with_);
  successor.Enter(hello);
  old.session().Close();
  with_.clock.Advance(kTestLease * 2);
  // Forgetting happens with what comes and goes.
  Come("");
  EXPECT_EQ(Come(session_id).first.previous, successor.id());
}

TEST_F(WorkerSessionsTest, TheEngineHearsThatAStreamHasEnded) {
  ConnectedWorker worker(&with_);
  worker.Enter();
  worker.session().Close();
  const auto gone = with_.engine.Take<engine::WorkerGone>();
  ASSERT_THAT(gone, SizeIs(1));
  EXPECT_EQ(gone[0].worker, worker.id());
}

TEST_F(WorkerSessionsTest, TheEngineDoesNotHearOfTheEndThatItMade) {
  ConnectedWorker worker(&with_);
  worker.Enter();
  worker.End(absl::AbortedError("taken"));
  worker.session().Close();
  EXPECT_TRUE(with_.engine.was_told_nothing());
}

TEST_F(WorkerSessionsTest, AStreamThatNeverSaidHelloWasNobody) {
  ConnectedWorker worker(&with_);
  worker.session().Close();
  EXPECT_TRUE(with_.engine.was_told_nothing());
}

TEST_F(WorkerSessionsTest, OrdersForOneThatIsGoneAreDropped) {
  ConnectedWorker worker(&with_);
  worker.Enter();
  worker.session().Close();
  const int wakes = worker.wakes();
  worker.Start(1);
  EXPECT_EQ(worker.wakes(), wakes);
}

TEST_F(WorkerSessionsTest, EachWorkerGetsItsOwnOrders) {
  ConnectedWorker first(&with_);
  ConnectedWorker second(&with_);
  first.Enter();
  second.Enter();
  engine::RemoteOrders orders;
  for (uint64_t number = 1; number <= 10; ++number) {
    orders.starts.push_back(StartOf(number));
    orders.starts.back().at = number % 3 == 0 ? first.id() : second.id();
  }
  orders.checks.push_back({second.id(), 1, {}});
  with_.sessions.Perform(std::move(orders));
  EXPECT_EQ(first.ReadOne().assignments().assignments_size(), 3);
  const auto messages = second.Read();
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(messages[0].assignments().assignments_size(), 7);
  EXPECT_EQ(messages[1].lease_check().number(), 1);
}

TEST_F(WorkerSessionsTest, ADrainIsSaidToAllAndNobodyNewIsTaken) {
  ConnectedWorker worker(&with_);
  worker.Enter();
  ConnectedWorker joining(&with_);
  joining.Join();
  const engine::WorkerId id = with_.engine.Take<engine::WorkerJoin>().back().worker;

  with_.sessions.Drain();
  EXPECT_TRUE(worker.ReadOne().has_drain());
  EXPECT_THAT(joining.Read(), IsEmpty()) << "the welcome comes first";
  engine::RemoteOrders orders;
  orders.welcomes.push_back({id, {}});
  joining.Perform(std::move(orders));
  const auto messages = joining.Read();
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_TRUE(messages[0].has_welcome());
  EXPECT_TRUE(messages[1].has_drain());

  const absl::Status status = Hello([](v1::WorkerHello*) {});
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
}

TEST_F(WorkerSessionsTest, WhoIsKnownMayComeBackInADrain) {
  const auto [first, session_id] = Come("");
  with_.sessions.Drain();
  EXPECT_EQ(Come(session_id).first.previous, first.worker);
}

}  // namespace
}  // namespace jobrunner::rpc
