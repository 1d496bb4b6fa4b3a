#pragma once

#include <string_view>

#include "workers/unique_fd.h"

namespace jobrunner::workers {

// A file in memory with these contents, to be read from its beginning. Not open, with errno set,
// when the machine has no descriptor or memory for it.
UniqueFd MakeMemoryFile(const char* name, std::string_view contents);

}  // namespace jobrunner::workers
