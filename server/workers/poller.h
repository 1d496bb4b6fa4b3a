#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "workers/unique_fd.h"

namespace jobrunner::workers {

// Waits for many descriptors at once (epoll). One thread uses it; any thread may wake it.
class Poller {
 public:
  static absl::StatusOr<Poller> Create();

  // Reports `tag`, any number but the two highest, as long as `fd` is readable or its other end has
  // gone. Closing `fd` ends it. False when the machine has no room for one more.
  bool Watch(int fd, uint64_t tag);
  // Besides, or no longer, when a watched `fd` is writable.
  void WatchWritable(int fd, uint64_t tag, bool on);

  // Ends it before `fd` is closed.
  void Unwatch(int fd);

  // Blocks until something is ready, Wake is called, or `deadline` has passed. Replaces *ready by
  // the tags of what is ready.
  void Wait(base::SteadyTime deadline, std::vector<uint64_t>* ready);

  // Ends the Wait, or the next one.
  void Wake();
  // Ends the Wait that there is at that time, unless it is set to another time before.
  void WakeAt(base::SteadyTime time);

 private:
  Poller(UniqueFd epoll, UniqueFd wake, UniqueFd alarm)
      : epoll_(std::move(epoll)), wake_(std::move(wake)), alarm_(std::move(alarm)) {}

  UniqueFd epoll_;
  UniqueFd wake_;
  UniqueFd alarm_;
};

}  // namespace jobrunner::workers
