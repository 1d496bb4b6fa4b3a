#include "client/run_arguments.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/run_command.h"
#include "client/safe_text.h"

namespace jobrunner::client {
namespace {

constexpr char kArgumentsFollow[] = ":::";

// Drops the mark before the command, and gives later ones their own form back.
absl::Status TakeMark(std::vector<std::string>* words) {
  if (words->empty()) return absl::OkStatus();
  const std::string& first = words->front();
  if (first == kCommandFollows) {
    words->erase(words->begin());
  } else if (absl::StartsWith(first, "-") && first != "-") {
    return absl::InvalidArgumentError(absl::StrCat("run has no option ", SafeText(first)));
  }
  std::replace(words->begin(), words->end(), std::string(kCommandFollows), std::string("--"));
  return absl::OkStatus();
}

}  // namespace

absl::Status TakeCommandWords(std::vector<std::string> words, RunOptions* options) {
  if (absl::Status status = TakeMark(&words); !status.ok()) return status;
  const auto mark = std::find(words.begin(), words.end(), kArgumentsFollow);
  options->command.assign(words.begin(), mark);
  if (mark == words.end()) return absl::OkStatus();
  if (std::find(mark + 1, words.end(), kArgumentsFollow) != words.end()) {
    return absl::InvalidArgumentError("run takes one list of arguments, there are two :::");
  }
  options->arguments.emplace(mark + 1, words.end());
  return absl::OkStatus();
}

}  // namespace jobrunner::client
