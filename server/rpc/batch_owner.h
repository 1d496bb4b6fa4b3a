// Who answers for a batch that lives no longer than its call.

#pragma once

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "engine/engine_thread.h"
#include "rpc/call_deadline.h"

namespace jobrunner::rpc {

// Submits a RunBatch call's batch, and cancels it when the client goes, in whichever order the two
// come: at any moment, also while the submit is on its way. Where the request_id was known, and the
// batch is another call's, the cancel finds nobody: the id it names was never accepted.
// Thread-safe.
class BatchOwner {
 public:
  // Both outlive it.
  BatchOwner(engine::EngineThread* engine, const base::Clock* clock, std::string batch_id,
             CallDeadline deadline)
      : engine_(engine), clock_(clock), batch_id_(std::move(batch_id)), deadline_(deadline) {}

  const std::string& batch_id() const { return batch_id_; }
  const CallDeadline& deadline() const { return deadline_; }

  // Nothing happens, and no reply comes, if the client has gone already.
  void Submit(engine::Submit submit) ABSL_LOCKS_EXCLUDED(mutex_);
  void ClientGone() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  engine::EngineThread* const engine_;
  const base::Clock* const clock_;
  const std::string batch_id_;
  const CallDeadline deadline_;

  absl::Mutex mutex_;
  bool submitted_ ABSL_GUARDED_BY(mutex_) = false;
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace jobrunner::rpc
