#include "simulation/chance.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace jobrunner::simulation {
namespace {

std::vector<int64_t> Drawn(int64_t least, int64_t most) {
  Chance chance(1);
  std::vector<int64_t> drawn(1'000);
  for (int64_t& number : drawn) number = chance.Skewed(least, most);
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

TEST(ChanceTest, SkewedFromNothingOnIsOftenSmallAndSometimesLarge) {
  const std::vector<int64_t> drawn = Drawn(0, 10'000);
  EXPECT_EQ(drawn.front(), 0);
  EXPECT_LE(drawn.back(), 10'000);
  EXPECT_LT(drawn[333], 100);
  EXPECT_GT(drawn[500], 10);
  EXPECT_GT(drawn[990], 5'000);
}

TEST(ChanceTest, SkewedKeepsToItsBounds) {
  EXPECT_EQ(Drawn(5, 5), std::vector<int64_t>(1'000, 5));
  const std::vector<int64_t> drawn = Drawn(2, 4);
  EXPECT_EQ(drawn.front(), 2);
  EXPECT_EQ(drawn.back(), 4);
}

}  // namespace
}  // namespace jobrunner::simulation
