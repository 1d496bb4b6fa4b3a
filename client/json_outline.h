#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::client {

// What can be said of JSON without parsing it. Malformed text has an outline too: judging is left
// to the parser.
struct JsonOutline {
  // How deep objects and arrays stand in each other.
  int depth_max = 0;
  // The keys of the first value, if it is an object.
  std::vector<std::string> first_keys;
};

// Parsers recurse: what is nested deeper than this is refused before they see it.
inline constexpr int kJsonDepthMax = 64;

JsonOutline OutlineJson(std::string_view text);

}  // namespace jobrunner::client
