// Times of many like things.

#pragma once

#include <chrono>
#include <vector>

namespace jobrunner::bench {

class Samples {
 public:
  void Add(std::chrono::steady_clock::duration time) {
    ms_.push_back(std::chrono::duration<double, std::milli>(time).count());
  }
  void Add(const Samples& others) { ms_.insert(ms_.end(), others.ms_.begin(), others.ms_.end()); }

  // In milliseconds: the time that `share` (0 to 1) of them do not exceed.
  double Quantile(double share);

 private:
  std::vector<double> ms_;
};

inline double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace jobrunner::bench
