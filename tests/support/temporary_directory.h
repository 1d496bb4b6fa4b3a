#pragma once

#include <string>
#include <string_view>

namespace jobrunner::test {

// A new empty directory, gone with all that is in it at the end of the scope.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

  // The path of `name` in the directory; makes nothing.
  std::string PathOf(std::string_view name) const;

 private:
  std::string path_;
};

// The contents of a file, or "" when there is none.
std::string ReadFile(const std::string& path);

}  // namespace jobrunner::test
