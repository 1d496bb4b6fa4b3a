#pragma once

#include <string>

namespace jobrunner::client {

// `text` with control characters (C0, DEL, C1) and malformed UTF-8 written as \n, \t, \x1b, so that
// names and messages of others cannot steer the terminal that shows them.
std::string SafeText(const std::string& text);

// Whether `text` is well-formed UTF-8, as Protobuf strings must be.
bool IsUtf8(const std::string& text);

// `word` as a POSIX shell reads it back: as it is, or in single quotes.
std::string ShellQuoted(const std::string& word);

}  // namespace jobrunner::client
