#include "server/hard_exit.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace jobrunner::server {

HardExit::HardExit(std::function<void()> last)
    : last_(std::move(last)), thread_([this] { Run(); }) {}

HardExit::~HardExit() {
  {
    base::MonitorLock lock(&monitor_);
    averted_ = true;
  }
  monitor_.Signal();
  thread_.join();
}

void HardExit::By(base::SteadyTime deadline) {
  {
    base::MonitorLock lock(&monitor_);
    deadline_ = std::min(deadline_, deadline);
  }
  monitor_.Signal();
}

void HardExit::Run() {
  {
    base::MonitorLock lock(&monitor_);
    while (!averted_ && std::chrono::steady_clock::now() < deadline_) {
      if (deadline_ == base::SteadyTime::max()) {
        monitor_.Wait();
      } else {
        monitor_.WaitUntil(deadline_);
      }
    }
    if (averted_) return;
  }
  last_();
}

}  // namespace jobrunner::server
