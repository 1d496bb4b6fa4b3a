#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace jobrunner::client {

struct RunOptions;

// Defines the options of run. What follows them is left over, for TakeCommandWords.
void DefineRun(CLI::App* app, RunOptions* options);

// Stands for "--" between the options of run and its command.
inline constexpr char kCommandFollows[] = "\x01--";

// Takes what follows the options of run: [--] COMMAND [WORDS] [::: ARGUMENT...]. INVALID_ARGUMENT
// for an option that run does not know, or a second list of arguments.
absl::Status TakeCommandWords(std::vector<std::string> words, RunOptions* options);

}  // namespace jobrunner::client
