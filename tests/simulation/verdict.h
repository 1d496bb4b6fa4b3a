#pragma once

#include <string>
#include <utility>

namespace jobrunner::simulation {

// The first thing that was wrong.
class Verdict {
 public:
  bool failed() const { return !message_.empty(); }
  const std::string& message() const { return message_; }
  void Fail(std::string message) {
    if (message_.empty()) message_ = std::move(message);
  }

 private:
  std::string message_;
};

}  // namespace jobrunner::simulation
