// The commands of jobrunnerd that serve nothing.

#pragma once

#include <optional>

namespace jobrunner::offline {

// Carries out `jobrunnerd inspect …` or `jobrunnerd restore …`, and returns the exit code; nothing
// for any other command line. 0: done, 1: the store is damaged, 2: the command line is wrong, 3: it
// could not be done, which is said on standard error.
std::optional<int> RunStoreTool(int argc, const char* const* argv);

}  // namespace jobrunner::offline
