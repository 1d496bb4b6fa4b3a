#pragma once

#include "client/command_line.h"

namespace jobrunner::client {

// Does what a command line asks for, says what went wrong, and returns the exit status.
int Invoke(const Invocation& invocation);

}  // namespace jobrunner::client
