// The calls that are being served.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "base/monitor.h"

namespace jobrunner::rpc {

// A call that goes on until somebody ends it.
class ServedStream {
 public:
  virtual ~ServedStream() = default;
  // Events of one batch, errors of all batches, what comes in, or a remote worker's.
  enum class Kind { kEvents, kErrors, kUpload, kWorker };

  // Ends it with UNAVAILABLE, unless it has ended. Does not block.
  virtual void EndByServer() = 0;
  virtual Kind kind() const { return Kind::kEvents; }
  // Events that are there for it and that it has not written yet, as far as is known. Any thread.
  virtual int64_t lag() const { return 0; }
};

// Open streams, and how far behind they are.
struct StreamStatistics {
  // StreamResults and RunBatch.
  int64_t events = 0;
  // StreamErrors.
  int64_t errors = 0;
  // UploadBatch.
  int64_t uploads = 0;
  // WorkerService.Work.
  int64_t workers = 0;
  // Of batches that run: all together, and the one furthest behind.
  int64_t lag_events = 0;
  int64_t lag_events_max = 0;
  // By StreamResults and RunBatch, since the start of the server.
  int64_t events_sent = 0;
};

// Counts calls, and ends streams when the server stops. Thread-safe.
class OpenCalls {
 public:
  // A stream begins; false when the server stops, or drains and it is an upload: it is to end at
  // once.
  bool StreamBegan(ServedStream* key, std::weak_ptr<ServedStream> stream)
      ABSL_LOCKS_EXCLUDED(monitor_);
  void StreamEnded(ServedStream* key) ABSL_LOCKS_EXCLUDED(monitor_);

  void CallBegan() ABSL_LOCKS_EXCLUDED(monitor_);
  void CallEnded() ABSL_LOCKS_EXCLUDED(monitor_);

  // Streams now open.
  int64_t streams() const ABSL_LOCKS_EXCLUDED(monitor_);

  // Ends the uploads there are and those that will begin.
  void EndUploads() ABSL_LOCKS_EXCLUDED(monitor_);
  // Ends the streams there are and those that will begin.
  void EndStreams() ABSL_LOCKS_EXCLUDED(monitor_);

  // A reader of a batch was sent so many events.
  void EventsSent(int64_t count) { events_sent_.fetch_add(count, std::memory_order_relaxed); }
  int64_t events_sent() const { return events_sent_.load(std::memory_order_relaxed); }

  StreamStatistics Statistics() const ABSL_LOCKS_EXCLUDED(monitor_);

  // Blocks until no call is served, or `deadline` has passed.
  void AwaitNone(base::SteadyTime deadline) ABSL_LOCKS_EXCLUDED(monitor_);

 private:
  bool None() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
    return streams_.empty() && calls_ == 0;
  }
  std::vector<std::shared_ptr<ServedStream>> Streams() const ABSL_LOCKS_EXCLUDED(monitor_);

  std::atomic<int64_t> events_sent_{0};

  mutable base::Monitor monitor_;
  absl::flat_hash_map<ServedStream*, std::weak_ptr<ServedStream>> streams_
      ABSL_GUARDED_BY(monitor_);
  // Those that are no streams.
  int64_t calls_ ABSL_GUARDED_BY(monitor_) = 0;
  bool ending_uploads_ ABSL_GUARDED_BY(monitor_) = false;
  bool ending_ ABSL_GUARDED_BY(monitor_) = false;
};

}  // namespace jobrunner::rpc
