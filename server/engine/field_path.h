// Where a field stands in a request.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace jobrunner::engine {

// A path such as batch.jobs[17].options.timeout, put together only when something is wrong there:
// on the stack, each part a link to the one before it, which must outlive it.
class FieldPath {
 public:
  explicit FieldPath(std::string_view root) : name_(root) {}
  FieldPath(const FieldPath& parent, std::string_view name) : parent_(&parent), name_(name) {}
  // parent.name[index]
  FieldPath(const FieldPath& parent, std::string_view name, int64_t index)
      : parent_(&parent), name_(name), index_(index) {}
  // parent.name["key"], of a map.
  FieldPath(const FieldPath& parent, std::string_view name, std::string_view key)
      : parent_(&parent), name_(name), key_(key), has_key_(true) {}

  std::string ToString() const;

 private:
  const FieldPath* parent_ = nullptr;
  std::string_view name_;
  int64_t index_ = -1;
  std::string_view key_;
  bool has_key_ = false;
};

}  // namespace jobrunner::engine
