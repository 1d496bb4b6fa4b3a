#include "simulation/cancel_moments.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace jobrunner::simulation {
namespace {

constexpr std::array<const char*, CancelMoments::kMoments> kNames = {
    "queued", "held", "running", "finishing", "at a deadline", "retrying", "ended"};

}  // namespace

void CancelMoments::Add(const CancelMoments& others) {
  for (int i = 0; i < kMoments; ++i) counts_[i] += others.counts_[i];
}

bool CancelMoments::had_all() const {
  return std::all_of(counts_.begin(), counts_.end(), [](int64_t count) { return count > 0; });
}

std::string CancelMoments::ToText() const {
  std::string text;
  for (int i = 0; i < kMoments; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", kNames[i], " ", counts_[i]);
  }
  return text;
}

}  // namespace jobrunner::simulation
