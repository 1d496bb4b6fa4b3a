#include "rpc/assignment_id.h"

#include <charconv>

#include "base/check.h"
#include "base/uuid.h"

namespace jobrunner::rpc {
namespace {

// Takes a number and what stands behind it off the front of *text; '\0': nothing, to its end.
template <typename Number>
bool TakeNumber(std::string_view* text, Number* number, char behind) {
  const char* const end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, *number);
  if (error != std::errc()) return false;
  if (behind == '\0') return rest == end;
  if (rest == end || *rest != behind) return false;
  text->remove_prefix(rest + 1 - text->data());
  return true;
}

}  // namespace

AssignmentId::AssignmentId(std::string_view batch_id, int32_t index,
                           const engine::AttemptToken& token)
    : index_(index), token_(token) {
  JOBRUNNER_CHECK(batch_id.size() == kUuidBytes && index >= 0);
  char* to = text_.data() + batch_id.copy(text_.data(), kUuidBytes);
  char* const end = text_.data() + text_.size();
  const auto add = [&](char before, auto number) {
    *to++ = before;
    to = std::to_chars(to, end, number).ptr;
  };
  add('/', index);
  add('/', token.epoch);
  add('.', token.slot);
  add('.', token.number);
  size_ = static_cast<uint8_t>(to - text_.data());
}

std::optional<AssignmentId> AssignmentId::Parse(std::string_view text) {
  const std::string_view whole = text;
  const std::string_view batch_id = text.substr(0, kUuidBytes);
  if (!base::IsUuid(batch_id) || text.size() == kUuidBytes || text[kUuidBytes] != '/') {
    return std::nullopt;
  }
  text.remove_prefix(kUuidBytes + 1);
  int32_t index = 0;
  engine::AttemptToken token;
  const bool parsed = TakeNumber(&text, &index, '/') && TakeNumber(&text, &token.epoch, '.') &&
                      TakeNumber(&text, &token.slot, '.') && TakeNumber(&text, &token.number, '\0');
  if (!parsed || index < 0) return std::nullopt;
  const AssignmentId id(batch_id, index, token);
  // Leading zeros name nothing: an attempt has one name.
  if (id.text() != whole) return std::nullopt;
  return id;
}

}  // namespace jobrunner::rpc
