// That a world is its seed's alone, and that its checks can fail.

#include "simulation/world.h"

#include "gtest/gtest.h"

namespace jobrunner::simulation {
namespace {

TEST(WorldTest, TheSameSeedGivesTheSameTrace) {
  int64_t restarts = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    World first(seed);
    first.Run();
    World second(seed);
    second.Run();
    EXPECT_EQ(first.trace(), second.trace()) << "seed " << seed;
    EXPECT_EQ(first.steps(), second.steps());
    restarts += first.restarts();
  }
  EXPECT_GT(restarts, 0) << "some of them had servers that died";
}

TEST(WorldTest, OtherSeedsGiveOtherTraces) {
  World first(1);
  first.Run();
  World second(2);
  second.Run();
  EXPECT_NE(first.trace(), second.trace());
}

class FaultTest : public testing::TestWithParam<Fault> {};

// Each fault in many worlds: wherever it came about, and there are such, the checks found it.
TEST_P(FaultTest, IsFoundWhereverItCameAbout) {
  // A clock that is late does no harm where nothing is due meanwhile, nor does an outcome that
  // comes in one Step with the attempt's own.
  const bool may_do_no_harm =
      GetParam() == Fault::kWokenLate || GetParam() == Fault::kStaleOutcomeAccepted;
  int fired = 0;
  int found = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    World world(seed, GetParam());
    world.Run();
    fired += world.fault_fired();
    found += world.verdict().failed();
    EXPECT_TRUE(world.verdict().failed() || !world.fault_fired() || may_do_no_harm)
        << "seed " << seed << ": the fault was not found";
  }
  EXPECT_GE(fired, 3) << "too few worlds had the fault";
  EXPECT_GE(found, 3) << "it was found in too few";
}

INSTANTIATE_TEST_SUITE_P(Every, FaultTest, testing::ValuesIn(kEveryFault),
                         [](const auto& info) { return NameOf(info.param); });

}  // namespace
}  // namespace jobrunner::simulation
