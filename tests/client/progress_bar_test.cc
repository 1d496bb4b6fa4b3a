#include "client/progress_bar.h"

#include <gtest/gtest.h>

namespace jobrunner::client {
namespace {

TEST(ProgressLine, SaysHowMuchIsDoneAndLeft) {
  EXPECT_EQ(ProgressLine({{2, 1, 0}, 10, true, absl::Seconds(6)}),
            "[######..............]  30% 3/10, 1 failed, 14.00 s left");
}

TEST(ProgressLine, DoesNotGuessWhileTheInputGoesOn) {
  EXPECT_EQ(ProgressLine({{5, 0, 0}, 10, false, absl::Seconds(6)}),
            "[##########..........]  50% 5/10+");
}

TEST(ProgressLine, BeginsAndEnds) {
  EXPECT_EQ(ProgressLine({{}, 0, false, {}}), "[....................]   0% 0/0+");
  EXPECT_EQ(ProgressLine({{4, 0, 0}, 4, true, absl::Seconds(1)}),
            "[####################] 100% 4/4");
}

}  // namespace
}  // namespace jobrunner::client
