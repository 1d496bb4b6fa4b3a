#include "client/halt_policy.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace jobrunner::client {
namespace {

absl::Status Malformed(const std::string& text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("--halt \"", text, "\": ", why,
                   "; write never, or soon|now,fail|success|done=NUMBER, as now,fail=1"));
}

std::optional<HaltPolicy::When> ParseWhen(absl::string_view text) {
  if (text == "soon") return HaltPolicy::When::kSoon;
  if (text == "now") return HaltPolicy::When::kNow;
  return std::nullopt;
}

std::optional<HaltPolicy::What> ParseWhat(absl::string_view text) {
  if (text == "fail") return HaltPolicy::What::kFail;
  if (text == "success") return HaltPolicy::What::kSuccess;
  if (text == "done") return HaltPolicy::What::kDone;
  return std::nullopt;
}

}  // namespace

absl::StatusOr<HaltPolicy> HaltPolicy::Parse(const std::string& text) {
  if (text == "never" || text == "0") return HaltPolicy();
  if (text == "1") return HaltPolicy(When::kSoon, What::kFail, 1);
  if (text == "2") return HaltPolicy(When::kNow, What::kFail, 1);
  if (text.find('%') != std::string::npos) {
    return Malformed(text, "percentages are not supported, give a number of jobs");
  }
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(',', 1));
  const std::pair<std::string, std::string> rule =
      absl::StrSplit(parts.second, absl::MaxSplits('=', 1));
  const auto when = ParseWhen(parts.first);
  if (!when) return Malformed(text, "it begins with neither soon nor now");
  const auto what = ParseWhat(rule.first);
  if (!what) return Malformed(text, "the comma is followed by none of fail, success, done");
  int64_t count = 0;
  if (!absl::SimpleAtoi(rule.second, &count) || count < 1) {
    return Malformed(text, "the number is not 1 or more");
  }
  return HaltPolicy(*when, *what, count);
}

bool HaltPolicy::Reached(const Tally& tally) const {
  if (when_ == When::kNever) return false;
  switch (what_) {
    case What::kFail:
      return tally.failed >= count_;
    case What::kSuccess:
      return tally.succeeded >= count_;
    case What::kDone:
      return tally.done() >= count_;
  }
  return false;
}

}  // namespace jobrunner::client
