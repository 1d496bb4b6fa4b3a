#pragma once

#include <string_view>

namespace jobrunner::server {

// Opens those of 0, 1 and 2 that are closed, on /dev/null: a file or socket opened later must not
// take their place and get what is meant for them. To be called before anything is opened.
void OpenStandardDescriptors();

// Writes to standard output or error; what it does not take (closed, full disk) is dropped.
void WriteStandard(int fd, std::string_view text);

}  // namespace jobrunner::server
