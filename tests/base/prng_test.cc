#include "base/prng.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace jobrunner::base {
namespace {

TEST(Prng, TheSameSeedGivesTheSameNumbers) {
  Prng one(7), other(7);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(one.Next(), other.Next());
}

TEST(Prng, DifferentSeedsGiveDifferentNumbers) { EXPECT_NE(Prng(7).Next(), Prng(8).Next()); }

// The first numbers of the published algorithms for seed 0, so that seeds keep their meaning.
TEST(Prng, NumbersAreThoseOfXoshiro256PlusPlus) {
  Prng prng(0);
  EXPECT_EQ(prng.Next(), 0x53175d61490b23dfu);
  EXPECT_EQ(prng.Next(), 0x61da6f3dc380d507u);
  EXPECT_EQ(prng.Next(), 0x5c0fdf91ec9a7bfcu);
}

TEST(Prng, UniformStaysInItsRangeAndFillsIt) {
  Prng prng(1);
  double lowest = 1, highest = 0;
  for (int i = 0; i < 10000; ++i) {
    const double number = prng.Uniform();
    ASSERT_GE(number, 0.0);
    ASSERT_LT(number, 1.0);
    lowest = std::min(lowest, number);
    highest = std::max(highest, number);
  }
  EXPECT_LT(lowest, 0.01);
  EXPECT_GT(highest, 0.99);
}

TEST(Prng, BelowGivesEveryNumberAboutEquallyOften) {
  Prng prng(2);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70000; ++i) ++counts[prng.Below(counts.size())];
  for (int count : counts) EXPECT_NEAR(count, 10000, 500);
}

TEST(Prng, BelowOneIsZero) { EXPECT_EQ(Prng(3).Below(1), 0u); }

TEST(Prng, BelowTheLargestNumberStaysBelowIt) {
  Prng prng(4);
  for (int i = 0; i < 100; ++i) {
    ASSERT_LT(prng.Below(std::numeric_limits<uint64_t>::max()),
              std::numeric_limits<uint64_t>::max());
  }
}

}  // namespace
}  // namespace jobrunner::base
