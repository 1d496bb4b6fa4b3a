#pragma once

namespace jobrunner::server {

// Opens those of 0, 1 and 2 that are closed, on /dev/null: a file or socket opened later must not
// take their place and get what is meant for them. To be called before anything is opened.
void OpenStandardDescriptors();

}  // namespace jobrunner::server
