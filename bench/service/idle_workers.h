// Workers that are there and are given nothing.

#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "worker/work_input.h"
#include "worker/work_stream.h"

namespace jobrunner::bench {

// So many workers, each on a connection of its own, that answer for their leases. One thread speaks
// for all of them. Aborts if a stream ends.
class IdleWorkers {
 public:
  // Returns when all have been welcomed.
  IdleWorkers(const std::string& address, int count);
  // Breaks the streams off.
  ~IdleWorkers();

 private:
  struct One {
    std::shared_ptr<worker::WorkInbox> inbox;
    std::unique_ptr<worker::WorkStream> stream;
    bool ended = false;
  };

  void Serve();
  void Attend(One& one);

  std::vector<One> workers_;
  std::atomic<int> welcomed_{0};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace jobrunner::bench
