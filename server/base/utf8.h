// Text that is safe to put into a message.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace jobrunner::base {

// `text` with each byte that is not part of valid UTF-8 (RFC 3629) replaced by U+FFFD, and cut, at
// a character's end, so that it has at most `bytes_max` bytes.
std::string ValidUtf8(std::string_view text, size_t bytes_max);

}  // namespace jobrunner::base
