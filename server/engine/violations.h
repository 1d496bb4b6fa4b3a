// What is wrong with a request.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/field_path.h"

namespace jobrunner::engine {

struct Violation {
  // The path, as batch.jobs[17].options.timeout.
  std::string field;
  // Why, in words that follow the path and a colon.
  std::string description;
};

// The first violations, and how many there are: a batch can have a million of them. Not
// thread-safe.
class Violations {
 public:
  static constexpr size_t kKeptMax = 16;
  // Longer texts are cut, at a character's end.
  static constexpr size_t kFieldBytesMax = 160;
  static constexpr size_t kDescriptionBytesMax = 240;

  void Add(const FieldPath& field, std::string_view description);
  // A command or a URL that is not allowed.
  void AddDenied(const FieldPath& field, std::string_view description);

  bool empty() const { return count_ == 0; }
  int64_t count() const { return count_; }
  const std::vector<Violation>& kept() const { return kept_; }
  // Nothing is wrong but work that is not allowed: the call is PERMISSION_DENIED.
  bool only_denied() const { return denied_ == count_ && count_ > 0; }

 private:
  std::vector<Violation> kept_;
  int64_t count_ = 0;
  int64_t denied_ = 0;
};

// `text`, cut to `bytes_max` bytes where it is longer, not within a UTF-8 character.
std::string_view CutText(std::string_view text, size_t bytes_max);

}  // namespace jobrunner::engine
