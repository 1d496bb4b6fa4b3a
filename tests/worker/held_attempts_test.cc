#include "worker/held_attempts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace jobrunner::worker {
namespace {

using engine::AttemptToken;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr size_t kMiB = 1 << 20;

class HeldAttemptsTest : public testing::Test {
 protected:
  AttemptToken Add(const std::string& id) {
    v1::Assignment assignment;
    assignment.set_assignment_id(id);
    return held_.Add(assignment).value();
  }

  void End(const AttemptToken& token, std::string output) {
    engine::Outcome outcome;
    outcome.token = token;
    outcome.output = std::move(output);
    held_.Take(std::move(outcome));
  }

  void GiveUp(const AttemptToken& token) {
    engine::Outcome outcome;
    outcome.token = token;
    outcome.abandoned = true;
    held_.Take(std::move(outcome));
  }

  void Tell(const AttemptToken& token, double fraction) {
    held_.Take(engine::ProgressReport{.token = token, .fraction = fraction, .message = {}});
  }

  static HeldAttempts::Ids Ids(std::initializer_list<const char*> names) {
    return {names.begin(), names.end()};
  }

  std::vector<std::string> Listed() {
    HeldAttempts::Ids ids;
    held_.List(&ids);
    return {ids.begin(), ids.end()};
  }

  // The outcomes of the next message, as "id=output".
  std::vector<std::string> NextOutcomes() {
    std::vector<std::string> texts;
    const auto message = held_.NextMessage();
    if (!message) return texts;
    for (const v1::AttemptOutcome& outcome : message->outcomes().outcomes()) {
      texts.push_back(outcome.assignment_id() + "=" + outcome.output());
    }
    return texts;
  }

  HeldAttempts held_;
};

TEST_F(HeldAttemptsTest, WhatHasEndedIsHeldUntilItIsAcknowledged) {
  const AttemptToken token = Add("a");
  End(token, "done");
  EXPECT_THAT(NextOutcomes(), ElementsAre("a=done"));
  EXPECT_THAT(Listed(), ElementsAre("a"));
  held_.Acknowledge("a");
  EXPECT_TRUE(held_.empty());
}

TEST_F(HeldAttemptsTest, AnAttemptIsTakenOnce) {
  Add("a");
  v1::Assignment again;
  again.set_assignment_id("a");
  EXPECT_EQ(held_.Add(again), std::nullopt);
  EXPECT_EQ(held_.size(), 1);
}

TEST_F(HeldAttemptsTest, OutcomesGoTogetherAndOnAnotherStreamOnceMore) {
  End(Add("a"), "1");
  End(Add("b"), "2");
  EXPECT_THAT(NextOutcomes(), ElementsAre("a=1", "b=2"));
  EXPECT_THAT(NextOutcomes(), IsEmpty());
  held_.Acknowledge("a");
  held_.SayOutcomesAgain();
  EXPECT_THAT(NextOutcomes(), ElementsAre("b=2"));
}

TEST_F(HeldAttemptsTest, LargeOutcomesGoInSeveralMessages) {
  for (int i = 0; i < 5; ++i) End(Add(std::to_string(i)), std::string(kMiB, 'x'));
  int outcomes = 0;
  while (const auto message = held_.NextMessage()) {
    EXPECT_LT(message->ByteSizeLong(), 4 * kMiB);
    outcomes += message->outcomes().outcomes_size();
  }
  EXPECT_EQ(outcomes, 5);
}

TEST_F(HeldAttemptsTest, WhatAnAttemptWroteIsSaidBeforeItsOutcome) {
  const AttemptToken token = Add("a");
  held_.Take(engine::OutputChunk{.token = token, .output = "one", .error_output = {}});
  Tell(token, 0.5);
  Tell(token, 1);
  End(token, "");
  EXPECT_EQ(held_.NextMessage()->output().output(), "one");
  // Of what is not said yet, the last.
  EXPECT_EQ(held_.NextMessage()->progress().fraction(), 1);
  EXPECT_THAT(NextOutcomes(), ElementsAre("a="));
}

TEST_F(HeldAttemptsTest, OneThatIsGivenUpIsHeldUntilItReturns) {
  const AttemptToken token = Add("a");
  GiveUp(token);
  EXPECT_FALSE(held_.NextMessage());
  EXPECT_THAT(Listed(), ElementsAre("a"));
  held_.Return(token);
  EXPECT_THAT(NextOutcomes(), ElementsAre("a="));
}

TEST_F(HeldAttemptsTest, WhatIsRemovedSaysNothingMore) {
  const AttemptToken removed = Add("a");
  Add("b");
  Tell(removed, 0.5);
  EXPECT_THAT(held_.FindOthers(Ids({"b", "c"})), ElementsAre(removed));
  held_.Remove({removed});
  End(removed, "late");
  held_.Return(removed);
  EXPECT_FALSE(held_.NextMessage());
  EXPECT_THAT(Listed(), ElementsAre("b"));
  held_.Acknowledge("a");
  EXPECT_EQ(held_.size(), 1);
}

TEST_F(HeldAttemptsTest, WhatWasLostHereIsLetGoOf) {
  engine::Outcome outcome;
  outcome.token = Add("a");
  outcome.failure = std::make_unique<engine::Failure>();
  outcome.failure->reason = v1::REASON_WORKER_LOST;
  held_.Take(std::move(outcome));
  EXPECT_TRUE(held_.empty());
  EXPECT_FALSE(held_.NextMessage());
}

TEST_F(HeldAttemptsTest, AttemptsAreFoundByTheServersNames) {
  const AttemptToken a = Add("a");
  const AttemptToken b = Add("b");
  EXPECT_THAT(held_.Find(Ids({"a", "c"})), ElementsAre(a));
  EXPECT_THAT(held_.FindOthers({}), UnorderedElementsAre(a, b));
}

}  // namespace
}  // namespace jobrunner::worker
