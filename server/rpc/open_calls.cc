#include "rpc/open_calls.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace jobrunner::rpc {

bool OpenCalls::StreamBegan(ServedStream* key, std::weak_ptr<ServedStream> stream) {
  base::MonitorLock lock(&monitor_);
  streams_.emplace(key, std::move(stream));
  const bool ends = key->kind() == ServedStream::Kind::kUpload && ending_uploads_;
  return !ending_ && !ends;
}

void OpenCalls::StreamEnded(ServedStream* key) {
  base::MonitorLock lock(&monitor_);
  streams_.erase(key);
  if (None()) monitor_.SignalAll();
}

void OpenCalls::CallBegan() {
  base::MonitorLock lock(&monitor_);
  ++calls_;
}

void OpenCalls::CallEnded() {
  base::MonitorLock lock(&monitor_);
  --calls_;
  if (None()) monitor_.SignalAll();
}

int64_t OpenCalls::streams() const {
  base::MonitorLock lock(&monitor_);
  return static_cast<int64_t>(streams_.size());
}

// Held from here on, so that the last hold is not given up under the lock.
std::vector<std::shared_ptr<ServedStream>> OpenCalls::Streams() const {
  base::MonitorLock lock(&monitor_);
  std::vector<std::shared_ptr<ServedStream>> streams;
  for (const auto& [key, weak] : streams_) {
    if (auto stream = weak.lock()) streams.push_back(std::move(stream));
  }
  return streams;
}

StreamStatistics OpenCalls::Statistics() const {
  StreamStatistics statistics;
  statistics.events_sent = events_sent();
  for (const auto& stream : Streams()) {
    switch (stream->kind()) {
      case ServedStream::Kind::kEvents:
        ++statistics.events;
        break;
      case ServedStream::Kind::kErrors:
        ++statistics.errors;
        break;
      case ServedStream::Kind::kUpload:
        ++statistics.uploads;
        break;
      case ServedStream::Kind::kWorker:
        ++statistics.workers;
        break;
    }
    const int64_t lag = stream->lag();
    statistics.lag_events += lag;
    statistics.lag_events_max = std::max(statistics.lag_events_max, lag);
  }
  return statistics;
}

void OpenCalls::EndUploads() {
  {
    base::MonitorLock lock(&monitor_);
    ending_uploads_ = true;
  }
  for (const auto& stream : Streams()) {
    if (stream->kind() == ServedStream::Kind::kUpload) stream->EndByServer();
  }
}

void OpenCalls::EndStreams() {
  {
    base::MonitorLock lock(&monitor_);
    ending_ = true;
  }
  for (const auto& stream : Streams()) stream->EndByServer();
}

void OpenCalls::AwaitNone(base::SteadyTime deadline) {
  base::MonitorLock lock(&monitor_);
  while (!None()) {
    if (!monitor_.WaitUntil(deadline)) return;
  }
}

}  // namespace jobrunner::rpc
