#include "client/library/safe_text.h"

#include <cstdint>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace jobrunner::client {
namespace {

struct Character {
  uint32_t code = 0;
  size_t size = 0;  // 0: malformed
};

size_t SequenceSize(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xf0 && lead < 0xf5) return 4;
  return 0;
}

// Overlong forms, surrogates and what lies past the last character are malformed.
bool IsAllowed(uint32_t code, size_t size) {
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  return code >= kLeast[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

// The character that begins at text[0]; `text` is not empty.
Character Decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t size = SequenceSize(lead);
  if (size == 0 || size > text.size()) return {};
  uint32_t code = size == 1 ? lead : lead & (0x7fu >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0) != 0x80) return {};
    code = code << 6 | (byte & 0x3f);
  }
  return IsAllowed(code, size) ? Character{code, size} : Character{};
}

bool IsControl(uint32_t code) { return code < 0x20 || (code >= 0x7f && code < 0xa0); }

std::string Escaped(std::string_view bytes) {
  if (bytes == "\n") return "\\n";
  if (bytes == "\t") return "\\t";
  if (bytes == "\r") return "\\r";
  std::string escaped;
  for (const unsigned char byte : bytes) absl::StrAppendFormat(&escaped, "\\x%02x", byte);
  return escaped;
}

bool NeedsNoQuotes(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("_/.,:=@%+-").find(c) != std::string_view::npos;
}

}  // namespace

std::string SafeText(const std::string& text) {
  std::string safe;
  std::string_view rest = text;
  while (!rest.empty()) {
    const Character character = Decode(rest);
    const size_t size = character.size == 0 ? 1 : character.size;
    const std::string_view bytes = rest.substr(0, size);
    safe += character.size == 0 || IsControl(character.code) ? Escaped(bytes) : std::string(bytes);
    rest.remove_prefix(size);
  }
  return safe;
}

bool IsUtf8(const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t size = Decode(rest).size;
    if (size == 0) return false;
    rest.remove_prefix(size);
  }
  return true;
}

std::string ShellQuoted(const std::string& word) {
  bool plain = !word.empty();
  for (const char c : word) plain = plain && NeedsNoQuotes(c);
  if (plain) return word;
  return "'" + absl::StrReplaceAll(word, {{"'", "'\\''"}}) + "'";
}

}  // namespace jobrunner::client
