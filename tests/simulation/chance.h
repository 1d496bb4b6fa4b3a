#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "base/prng.h"

namespace jobrunner::simulation {

// What a seed decides. For one thread.
class Chance {
 public:
  explicit Chance(uint64_t seed) : prng_(seed) {}

  // True with this probability.
  bool Of(double probability) { return prng_.Uniform() < probability; }
  // Evenly, both ends included.
  int64_t Between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(prng_.Below(static_cast<uint64_t>(most - least + 1)));
  }
  // As many small ones as large ones: the logarithm of one more than it is even. least >= 0.
  int64_t Skewed(int64_t least, int64_t most) {
    const double low = std::log(static_cast<double>(least) + 1);
    const double high = std::log(static_cast<double>(most) + 2);
    const double drawn = std::exp(low + (high - low) * prng_.Uniform()) - 1;
    return std::min(std::max(static_cast<int64_t>(drawn), least), most);
  }
  std::chrono::nanoseconds Milliseconds(int64_t least, int64_t most) {
    return std::chrono::milliseconds(Skewed(least, most));
  }
  template <typename List>
  const auto& OneOf(const List& list) {
    return list[static_cast<size_t>(Between(0, static_cast<int64_t>(list.size()) - 1))];
  }
  uint64_t Seed() { return prng_.Next(); }

 private:
  base::Prng prng_;
};

}  // namespace jobrunner::simulation
