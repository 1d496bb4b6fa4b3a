#pragma once

#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace jobrunner {
class Client;
}

namespace jobrunner::client {

// Cancels all batches of a run when it is told to, on a thread of its own: whoever tells it may be
// about to leave, and the run goes on reading what the jobs still say. Any thread may call it.
class BatchCanceller {
 public:
  // `client` outlives the canceller.
  explicit BatchCanceller(Client* client);
  // Lets a call that is under way end, and has none tried again.
  ~BatchCanceller();

  // A batch that was accepted; cancelled too if CancelAll was called before.
  void Add(const std::string& batch_id);
  // A batch that has finished.
  void Remove(const std::string& batch_id);

  // Cancels every batch there is and every one that comes. The first reason stays.
  void CancelAll(const std::string& reason);

 private:
  void Work();
  // The next batch to cancel; none: time to stop.
  std::optional<std::string> Take();
  void Cancel(const std::string& batch_id);
  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  Client* const client_;
  std::stop_source leaving_;

  absl::Mutex mutex_;
  std::set<std::string> open_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::string> reason_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace jobrunner::client
