#pragma once

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace jobrunner::client {

// SIGINT, SIGTERM and SIGHUP of a run, taken by a thread from a signalfd: the first is told to a
// callback, the second ends the process at once with 128 + its number. Made before any other
// thread, since it blocks the signals for those that come after it; SIGPIPE is ignored from then
// on.
class SignalWatcher {
 public:
  SignalWatcher();
  ~SignalWatcher();

  // From now on the first signal calls `on_signal`, on the watcher's thread; until then it ends the
  // process. nullptr: again so.
  void Tell(std::function<void(int signal)> on_signal);

 private:
  void Watch();
  void Take(int signal);

  int signal_fd_;
  int wake_fd_;

  absl::Mutex mutex_;
  std::function<void(int)> on_signal_ ABSL_GUARDED_BY(mutex_);
  bool told_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace jobrunner::client
