#include "engine/deadlines.h"

#include "gtest/gtest.h"

namespace jobrunner::engine {
namespace {

using std::chrono::seconds;

class DeadlinesTest : public testing::Test {
 protected:
  static base::SteadyTime At(int second) { return base::SteadyTime(seconds(second)); }
  static Deadlines::AttemptDeadline Attempt(uint64_t number) {
    return {{.epoch = 1, .slot = 0, .number = number}};
  }
  static uint64_t NumberOf(const std::optional<Deadlines::Event>& event) {
    return std::get<Deadlines::AttemptDeadline>(*event).token.number;
  }

  Deadlines deadlines_;
};

TEST_F(DeadlinesTest, FireByTheirTimesAndNotBefore) {
  deadlines_.Set(At(2), Attempt(2));
  deadlines_.Set(At(1), Attempt(1));
  EXPECT_EQ(deadlines_.earliest(), At(1));
  EXPECT_FALSE(deadlines_.PopDue(At(1) - std::chrono::nanoseconds(1)));
  EXPECT_EQ(NumberOf(deadlines_.PopDue(At(1))), 1u);
  EXPECT_FALSE(deadlines_.PopDue(At(1)));
  EXPECT_EQ(NumberOf(deadlines_.PopDue(At(2))), 2u);
}

TEST_F(DeadlinesTest, ThoseOfOneTimeFireInTheOrderInWhichTheyWereSet) {
  for (uint64_t i = 1; i <= 4; ++i) deadlines_.Set(At(1), Attempt(i));
  for (uint64_t i = 1; i <= 4; ++i) EXPECT_EQ(NumberOf(deadlines_.PopDue(At(1))), i);
}

TEST_F(DeadlinesTest, OneThatIsCancelledDoesNotFire) {
  Deadlines::Timer timer = deadlines_.Set(At(1), Attempt(1));
  EXPECT_TRUE(timer.set());
  deadlines_.Cancel(&timer);
  EXPECT_FALSE(timer.set());
  EXPECT_FALSE(deadlines_.PopDue(At(9)));
  deadlines_.Cancel(&timer);
}

TEST_F(DeadlinesTest, OneForNeverIsNotSet) {
  EXPECT_FALSE(deadlines_.Set(base::SteadyTime::max(), Attempt(1)).set());
  EXPECT_EQ(deadlines_.earliest(), base::SteadyTime::max());
}

}  // namespace
}  // namespace jobrunner::engine
