// A name whose address changes.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace jobrunner::test {

// What each of the next look-ups of `name` in this program finds, libcurl's included: an address,
// or nothing where it is empty. Any thread.
void AnswerLookUps(const std::string& name, std::vector<std::string> addresses);
// How many of these there will still be.
size_t LookUpsLeft();

}  // namespace jobrunner::test
