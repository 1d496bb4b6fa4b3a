#include "base/mailbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace jobrunner::base {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

SteadyTime FromNow(milliseconds delay) { return std::chrono::steady_clock::now() + delay; }

TEST(Mailbox, TakesWhatWasPutInItsOrder) {
  Mailbox<int> mailbox;
  mailbox.Put(1);
  mailbox.PutAll({2, 3});
  mailbox.Put(4);
  std::vector<int> taken;
  EXPECT_TRUE(mailbox.Take(&taken));
  EXPECT_THAT(taken, ElementsAre(1, 2, 3, 4));
}

TEST(Mailbox, ATakeReplacesWhatTheVectorHeld) {
  Mailbox<int> mailbox;
  std::vector<int> taken = {9, 9};
  mailbox.Put(1);
  EXPECT_TRUE(mailbox.TryTake(&taken));
  EXPECT_THAT(taken, ElementsAre(1));
  EXPECT_FALSE(mailbox.TryTake(&taken));
  EXPECT_THAT(taken, IsEmpty());
}

TEST(Mailbox, CarriesWhatCanOnlyBeMoved) {
  Mailbox<std::unique_ptr<int>> mailbox;
  mailbox.Put(std::make_unique<int>(5));
  std::vector<std::unique_ptr<int>> taken;
  EXPECT_TRUE(mailbox.Take(&taken));
  EXPECT_EQ(*taken.at(0), 5);
}

TEST(Mailbox, TakeUntilGivesNothingWhenTheDeadlinePasses) {
  Mailbox<int> mailbox;
  std::vector<int> taken;
  const SteadyTime deadline = FromNow(milliseconds(5));
  EXPECT_TRUE(mailbox.TakeUntil(deadline, &taken));
  EXPECT_THAT(taken, IsEmpty());
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
}

TEST(Mailbox, TakeUntilTakesWhatIsThereAlsoAfterTheDeadline) {
  Mailbox<int> mailbox;
  mailbox.Put(1);
  std::vector<int> taken;
  EXPECT_TRUE(mailbox.TakeUntil(FromNow(-milliseconds(5)), &taken));
  EXPECT_THAT(taken, ElementsAre(1));
}

TEST(Mailbox, TakeUntilTheEndOfTimeWaitsForAnItem) {
  Mailbox<int> mailbox;
  std::vector<int> taken;
  std::thread producer([&] { mailbox.Put(1); });
  EXPECT_TRUE(mailbox.TakeUntil(SteadyTime::max(), &taken));
  EXPECT_THAT(taken, ElementsAre(1));
  producer.join();
}

TEST(Mailbox, AwaitTakesNothing) {
  Mailbox<int> mailbox;
  EXPECT_TRUE(mailbox.idle());
  mailbox.Put(1);
  EXPECT_TRUE(mailbox.Await(SteadyTime::max()));
  EXPECT_FALSE(mailbox.idle());
  std::vector<int> taken;
  EXPECT_TRUE(mailbox.TryTake(&taken));
  EXPECT_THAT(taken, ElementsAre(1));
  EXPECT_TRUE(mailbox.idle());
}

TEST(Mailbox, AwaitEndsAtItsDeadline) {
  Mailbox<int> mailbox;
  const SteadyTime deadline = FromNow(milliseconds(5));
  EXPECT_TRUE(mailbox.Await(deadline));
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
  EXPECT_TRUE(mailbox.Await(SteadyTime::min()));
}

TEST(Mailbox, AwaitIsFalseWhenThereWillBeNothingMore) {
  Mailbox<int> mailbox;
  mailbox.Put(1);
  mailbox.Close();
  EXPECT_FALSE(mailbox.idle());
  EXPECT_TRUE(mailbox.Await(SteadyTime::max()));
  std::vector<int> taken;
  EXPECT_TRUE(mailbox.TryTake(&taken));
  EXPECT_FALSE(mailbox.Await(SteadyTime::max()));
  EXPECT_FALSE(mailbox.idle());
}

// Without a deadline each of them would hang if a nudge were lost.
TEST(Mailbox, ANudgeEndsOneAwaitAlsoIfItComesFirst) {
  Mailbox<int> mailbox;
  mailbox.Nudge();
  EXPECT_TRUE(mailbox.Await(SteadyTime::max()));
  EXPECT_TRUE(mailbox.idle());
  std::thread nudger([&] { mailbox.Nudge(); });
  EXPECT_TRUE(mailbox.Await(SteadyTime::max()));
  nudger.join();
  // Both are used up.
  const SteadyTime deadline = FromNow(milliseconds(5));
  EXPECT_TRUE(mailbox.Await(deadline));
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
}

TEST(Mailbox, NothingCanBePutAfterClose) {
  Mailbox<int> mailbox;
  mailbox.Close();
  mailbox.Close();
  EXPECT_FALSE(mailbox.Put(1));
  EXPECT_FALSE(mailbox.PutAll({1, 2}));
  EXPECT_FALSE(mailbox.PutAll({}));
}

TEST(Mailbox, WhatWasPutBeforeCloseIsTakenBeforeTheEnd) {
  Mailbox<int> mailbox;
  mailbox.Put(1);
  mailbox.Close();
  std::vector<int> taken;
  EXPECT_TRUE(mailbox.Take(&taken));
  EXPECT_THAT(taken, ElementsAre(1));
  EXPECT_FALSE(mailbox.Take(&taken));
  EXPECT_FALSE(mailbox.TakeUntil(SteadyTime::max(), &taken));
  EXPECT_THAT(taken, IsEmpty());
}

TEST(Mailbox, CloseEndsATakeThatWaits) {
  Mailbox<int> mailbox;
  std::thread closer([&] { mailbox.Close(); });
  std::vector<int> taken;
  EXPECT_FALSE(mailbox.Take(&taken));
  closer.join();
}

struct Numbered {
  int producer;
  int number;
};

TEST(Mailbox, ManyProducersLoseNothingAndEachKeepsItsOrder) {
  constexpr int kProducers = 4, kNumbers = 20000;
  Mailbox<Numbered> mailbox;
  std::vector<std::thread> producers;
  for (int producer = 0; producer < kProducers; ++producer) {
    producers.emplace_back([&mailbox, producer] {
      for (int number = 0; number < kNumbers; ++number) mailbox.Put({producer, number});
    });
  }
  std::vector<int> next(kProducers, 0);
  std::vector<Numbered> taken;
  int count = 0;
  while (count < kProducers * kNumbers && mailbox.Take(&taken)) {
    for (const Numbered& item : taken) ASSERT_EQ(item.number, next[item.producer]++);
    count += static_cast<int>(taken.size());
  }
  for (std::thread& producer : producers) producer.join();
  EXPECT_EQ(count, kProducers * kNumbers);
}

// One item at a time there and back: a wake-up that got lost would hang here.
TEST(Mailbox, APingPongNeverLosesAWakeUp) {
  Mailbox<int> there, back;
  std::thread echo([&] {
    std::vector<int> taken;
    while (there.Take(&taken)) back.PutAll(taken);
  });
  std::vector<int> taken;
  for (int i = 0; i < 5000; ++i) {
    there.Put(i);
    ASSERT_TRUE(back.TakeUntil(SteadyTime::max(), &taken));
    ASSERT_THAT(taken, ElementsAre(i));
  }
  there.Close();
  echo.join();
}

}  // namespace
}  // namespace jobrunner::base
