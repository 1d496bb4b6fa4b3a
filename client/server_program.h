#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace jobrunner::client {

// The path of jobrunnerd: beside this program, as it is installed and built, or on the PATH.
// NOT_FOUND when it is neither.
absl::StatusOr<std::string> FindServerProgram();

// The exit status of this program where jobrunnerd has done its work on a store, and ended so.
int ExitCodeOfStoreTool(int ended);

// Runs a program to its end, with this process's standard input and error, and calls `line` with
// each line that it writes to its standard output, without the newline. Returns its exit code; that
// of one ended by a signal is 128 and the signal's number. Blocks.
absl::StatusOr<int> ReadLinesOf(std::vector<std::string> argv,
                                const std::function<void(const std::string&)>& line);

}  // namespace jobrunner::client
