#include "engine/field_path.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace jobrunner::engine {
namespace {

// A key is the client's own text: not too much of it, and none that is not printable.
constexpr size_t kKeyShownMax = 64;

std::string Shown(std::string_view key) {
  return absl::CEscape(absl::string_view(key.data(), std::min(key.size(), kKeyShownMax)));
}

}  // namespace

std::string FieldPath::ToString() const {
  std::string path = parent_ ? parent_->ToString() : std::string();
  if (parent_) path.push_back('.');
  path.append(name_);
  if (index_ >= 0) absl::StrAppend(&path, "[", index_, "]");
  if (has_key_) absl::StrAppend(&path, "[\"", Shown(key_), "\"]");
  return path;
}

}  // namespace jobrunner::engine
