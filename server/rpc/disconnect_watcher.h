// A reader with cancel_on_disconnect.

#pragma once

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/engine_thread.h"

namespace jobrunner::rpc {

// Tells the engine that such a reader came, and that it went: the second only after the first, and
// not when the server ended the stream. Thread-safe.
class DisconnectWatcher {
 public:
  // `engine` outlives it.
  DisconnectWatcher(engine::EngineThread* engine, std::string batch_id)
      : engine_(engine), batch_id_(std::move(batch_id)) {}

  void Came() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (gone_) return;
    came_ = true;
    engine_->Tell(engine::DisconnectWatch{batch_id_, +1});
  }

  void Gone() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    gone_ = true;
    if (came_) engine_->Tell(engine::DisconnectWatch{batch_id_, -1});
  }

 private:
  engine::EngineThread* const engine_;
  const std::string batch_id_;
  absl::Mutex mutex_;
  bool came_ ABSL_GUARDED_BY(mutex_) = false;
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace jobrunner::rpc
