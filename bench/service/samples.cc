#include "bench/service/samples.h"

#include <algorithm>

namespace jobrunner::bench {

double Samples::Quantile(double share) {
  if (ms_.empty()) return 0;
  std::sort(ms_.begin(), ms_.end());
  const auto at = static_cast<size_t>(share * static_cast<double>(ms_.size()));
  return ms_[std::min(at, ms_.size() - 1)];
}

}  // namespace jobrunner::bench
