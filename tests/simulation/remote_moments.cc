#include "simulation/remote_moments.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace jobrunner::simulation {
namespace {

constexpr std::array<const char*, RemoteMoments::kMoments> kNames{
    "cut",    "paused",  "killed",   "left",     "came back",
    "forgot", "adopted", "given up", "put back", "refused"};

}  // namespace

void RemoteMoments::Add(const RemoteMoments& others) {
  for (int i = 0; i < kMoments; ++i) counts_[i] += others.counts_[i];
}

bool RemoteMoments::had_all() const {
  return std::all_of(counts_.begin(), counts_.end(), [](int64_t count) { return count > 0; });
}

std::string RemoteMoments::ToText() const {
  std::string text;
  for (int i = 0; i < kMoments; ++i) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", kNames[i], " ", counts_[i]);
  }
  return text;
}

}  // namespace jobrunner::simulation
