#include "engine/statistics.h"

#include "gtest/gtest.h"

namespace jobrunner::engine {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

TEST(TimeHistogramTest, BoundsGoUpByFours) {
  EXPECT_EQ(TimeHistogram::UpperBound(0), milliseconds(1));
  EXPECT_EQ(TimeHistogram::UpperBound(1), milliseconds(4));
  EXPECT_EQ(TimeHistogram::UpperBound(11), milliseconds(4'194'304));
  EXPECT_EQ(TimeHistogram::UpperBound(TimeHistogram::kBuckets - 1), nanoseconds::max());
}

TEST(TimeHistogramTest, ATimeCountsInTheFirstBucketThatHoldsIt) {
  TimeHistogram histogram;
  histogram.Add(nanoseconds(0));
  histogram.Add(milliseconds(1));
  histogram.Add(milliseconds(1) + nanoseconds(1));
  histogram.Add(hours(100));
  EXPECT_EQ(histogram.count(0), 2);
  EXPECT_EQ(histogram.count(1), 1);
  EXPECT_EQ(histogram.count(TimeHistogram::kBuckets - 1), 1);
  EXPECT_EQ(histogram.sum(), milliseconds(2) + nanoseconds(1) + hours(100));
}

}  // namespace
}  // namespace jobrunner::engine
