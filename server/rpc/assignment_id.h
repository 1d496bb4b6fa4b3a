// What attempts are called towards remote workers.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/attempt.h"

namespace jobrunner::rpc {

// An attempt's name, which says all that a later server needs to find its job:
//
//   id    = batch_id "/" index "/" epoch "." slot "." number
//   index, epoch, slot, number = decimal, without leading zeros
//
// To a worker it is a text without a meaning. A value: its text lies within it, since there is one
// for each attempt.
class AssignmentId {
 public:
  // A UUID, two of 10 digits and more, one of 20, and what stands between them.
  static constexpr size_t kBytesMax = 36 + 1 + 10 + 1 + 10 + 1 + 10 + 1 + 20;

  // `batch_id` is a UUID, `index` is not negative.
  AssignmentId(std::string_view batch_id, int32_t index, const engine::AttemptToken& token);

  // Nothing for a text that no server has made.
  static std::optional<AssignmentId> Parse(std::string_view text);

  std::string_view text() const { return {text_.data(), size_}; }
  std::string_view batch_id() const { return text().substr(0, kUuidBytes); }
  int32_t index() const { return index_; }
  const engine::AttemptToken& token() const { return token_; }

 private:
  static constexpr size_t kUuidBytes = 36;

  std::array<char, kBytesMax> text_;
  uint8_t size_ = 0;
  int32_t index_;
  engine::AttemptToken token_;
};

}  // namespace jobrunner::rpc
