#include "engine/violations.h"

namespace jobrunner::engine {

void Violations::Add(const FieldPath& field, std::string_view description) {
  if (kept_.size() < kKeptMax) {
    kept_.push_back({std::string(CutText(field.ToString(), kFieldBytesMax)),
                     std::string(CutText(description, kDescriptionBytesMax))});
  }
  ++count_;
}

void Violations::AddDenied(const FieldPath& field, std::string_view description) {
  Add(field, description);
  ++denied_;
}

std::string_view CutText(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t end = bytes_max;
  // Bytes 10xxxxxx go on with a character.
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace jobrunner::engine
