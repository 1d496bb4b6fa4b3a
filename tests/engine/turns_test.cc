#include "engine/turns.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace jobrunner::engine {
namespace {

using testing::ElementsAre;

struct Player : public Turn {
  Player(std::string its_name, double weight) : Turn(weight), name(std::move(its_name)) {}
  const std::string name;
};

class TurnsTest : public testing::Test {
 protected:
  std::vector<std::string> Play(int count, int64_t charge = 1) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
      Player* next = turns_.next();
      names.push_back(next->name);
      turns_.Charge(next, charge);
    }
    return names;
  }

  std::map<std::string, int> Count(const std::vector<std::string>& names) {
    std::map<std::string, int> counts;
    for (const std::string& name : names) ++counts[name];
    return counts;
  }

  Turns<Player> turns_;
  Player a_{"a", 1};
  Player b_{"b", 1};
  Player heavy_{"heavy", 2};
};

TEST_F(TurnsTest, EqualsTakeTurnsInTheOrderInWhichTheyCame) {
  turns_.Join(&a_);
  turns_.Join(&b_);
  EXPECT_THAT(Play(4), ElementsAre("a", "b", "a", "b"));
}

TEST_F(TurnsTest, EachGetsAShareByItsWeight) {
  turns_.Join(&a_);
  turns_.Join(&heavy_);
  const auto counts = Count(Play(300));
  EXPECT_EQ(counts.at("a"), 100);
  EXPECT_EQ(counts.at("heavy"), 200);
}

TEST_F(TurnsTest, WhoWasAwayDoesNotCatchUp) {
  turns_.Join(&a_);
  Play(1000);
  turns_.Join(&b_);
  const auto counts = Count(Play(10));
  EXPECT_EQ(counts.at("a"), 5);
  EXPECT_EQ(counts.at("b"), 5);
}

TEST_F(TurnsTest, WhoLeavesAndComesBackGainsNothingByIt) {
  turns_.Join(&a_);
  turns_.Join(&b_);
  int of_a = 0;
  for (int i = 0; i < 100; ++i) {
    Player* next = turns_.next();
    turns_.Charge(next, 1);
    if (next != &a_) continue;
    ++of_a;
    turns_.Leave(&a_);
    turns_.Join(&a_);
  }
  EXPECT_EQ(of_a, 50);
}

TEST_F(TurnsTest, ManyAtOnceCountAsMany) {
  turns_.Join(&a_);
  turns_.Join(&b_);
  EXPECT_THAT(Play(1, 10), ElementsAre("a"));
  EXPECT_THAT(Play(10), testing::Each("b"));
}

TEST_F(TurnsTest, KeepTheirOrderThroughAnyComingAndGoing) {
  base::Prng prng(7);
  std::vector<std::unique_ptr<Player>> players;
  for (int i = 0; i < 50; ++i) {
    players.push_back(std::make_unique<Player>(std::to_string(i), 1 + i % 3));
  }
  std::map<std::string, int> served;
  for (int step = 0; step < 20'000; ++step) {
    Player* player = players[prng.Below(players.size())].get();
    if (!player->waits()) {
      turns_.Join(player);
    } else if (prng.Below(10) == 0) {
      turns_.Leave(player);
      ASSERT_FALSE(player->waits());
    }
    if (turns_.empty()) continue;
    ++served[turns_.next()->name];
    turns_.Charge(turns_.next(), 1);
  }
  for (const auto& player : players) {
    EXPECT_GT(served[player->name], 0) << player->name << " waited for ever";
  }
}

}  // namespace
}  // namespace jobrunner::engine
