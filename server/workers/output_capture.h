#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace jobrunner::workers {

// Keeps the first half and the last half of an output that may be longer than what is kept.
class OutputCapture {
 public:
  // `bytes_max` is 0 or more.
  explicit OutputCapture(int64_t bytes_max);

  void Append(std::string_view data);

  // Of all that was appended.
  int64_t bytes() const { return bytes_; }
  // What is left out between the halves.
  int64_t omitted() const;

  // The first half and the last; may be called once.
  std::string Take();

 private:
  const int64_t first_max_;
  const int64_t last_max_;
  int64_t bytes_ = 0;
  std::string first_;
  // A ring once it is full: `oldest_` is where it begins.
  std::string last_;
  size_t oldest_ = 0;
};

}  // namespace jobrunner::workers
