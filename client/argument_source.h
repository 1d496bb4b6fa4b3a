#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace jobrunner::client {

// The arguments of a run, one a line or NUL-terminated, read by a thread of its own as they come
// and held until they are taken: at most kHeldMax, then reading waits. Take, Ready and State may be
// called from any thread and do not block.
class ArgumentSource {
 public:
  static constexpr size_t kHeldMax = 20'000;

  struct State {
    size_t ready = 0;
    // No argument will come any more.
    bool ended = false;
    // Why reading stopped early, if it did.
    absl::Status error;
  };

  // These arguments and no others.
  explicit ArgumentSource(std::vector<std::string> arguments);

  // Reads `fd` (not owned) to its end. `on_change` is called on the reading thread when something
  // became ready or the input ended; it may not call the source.
  ArgumentSource(int fd, char separator, std::function<void()> on_change);

  // Waits for the reading thread, which is woken wherever it waits.
  ~ArgumentSource();

  State Look() const;

  // The next arguments: `count_max` at most, and together at most `bytes_max`, each counted with
  // `bytes_each` more; but one, if there is one.
  std::vector<std::string> Take(size_t count_max, size_t bytes_max, size_t bytes_each);

 private:
  void Read(int fd, char separator);
  bool WaitReadable(int fd) const;
  // False: the source is going away.
  bool Hold(std::deque<std::string> arguments);
  void End(absl::Status error);

  const std::function<void()> on_change_;
  int wake_fd_ = -1;

  mutable absl::Mutex mutex_;
  std::deque<std::string> held_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);

  std::thread reader_;
};

}  // namespace jobrunner::client
