#include "base/check.h"

#include <gtest/gtest.h>

namespace jobrunner::base {
namespace {

TEST(Check, ATrueConditionPassesAndIsEvaluatedOnce) {
  int evaluations = 0;
  JOBRUNNER_CHECK(++evaluations > 0);
  EXPECT_EQ(evaluations, 1);
}

TEST(CheckDeathTest, AFalseConditionAbortsAndNamesItselfInEveryBuild) {
  EXPECT_DEATH(JOBRUNNER_CHECK(1 + 1 == 3), "check_test.cc:[0-9]+: check failed: 1 \\+ 1 == 3");
}

}  // namespace
}  // namespace jobrunner::base
