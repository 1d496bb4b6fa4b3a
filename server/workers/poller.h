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

  // Reports `tag` as long as `fd` is readable or its other end has gone. Closing `fd` ends it. False
  // when the machine has no room for one more.
  bool Watch(int fd, uint64_t tag);
  // Besides, or no longer, when a watched `fd` is writable.
  void WatchWritable(int fd, uint64_t tag, bool on);

  // Blocks until something is ready, Wake is called, or `deadline` has passed. Replaces *ready by the
  // tags of what is ready.
  void Wait(base::SteadyTime deadline, std::vector<uint64_t>* ready);

  // Ends the Wait, or the next one.
  void Wake();

 private:
  Poller(UniqueFd epoll, UniqueFd wake) : epoll_(std::move(epoll)), wake_(std::move(wake)) {}

  UniqueFd epoll_;
  UniqueFd wake_;
};

}  // namespace jobrunner::workers
