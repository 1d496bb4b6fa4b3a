#include "engine/statistics.h"

namespace jobrunner::engine {

std::chrono::nanoseconds TimeHistogram::UpperBound(int bucket) {
  if (bucket >= kBuckets - 1) return std::chrono::nanoseconds::max();
  return std::chrono::milliseconds(int64_t{1} << (2 * bucket));
}

void TimeHistogram::Add(std::chrono::nanoseconds time) {
  int bucket = 0;
  while (time > UpperBound(bucket)) ++bucket;
  ++counts_[bucket];
  // What a worker says of its times may be anything.
  sum_ += std::min(time, std::chrono::nanoseconds::max() - sum_);
}

}  // namespace jobrunner::engine
