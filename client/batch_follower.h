#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "client/batch_reader.h"
#include "client/interrupt.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {

class BatchCanceller;
class JobClient;

// Submits one batch and reads it to its end, on a thread of its own.
class BatchFollower {
 public:
  // Called on the follower's thread, and slows it as long as they take: events as they come, then
  // how it ended, as the last thing.
  struct Listener {
    std::function<void(v1::StreamResultsResponse)> on_events;
    std::function<void(absl::Status)> on_end;
  };

  // `client` and `canceller`, which gets to know the batch, outlive the follower. Of `reading`, the
  // batch id is filled in here.
  BatchFollower(JobClient* client, BatchCanceller* canceller, v1::SubmitBatchRequest request,
                BatchReader::Options reading, Listener listener);

  // Waits for the thread: after on_end, or after Abandon.
  ~BatchFollower();

  // Gives up on a batch that no server has accepted so far; one that was accepted is read on.
  void StopSubmitting() { submitting_.Fire(); }

  // Stops at once; on_end says CANCELLED.
  void Abandon();

 private:
  absl::Status Follow(v1::SubmitBatchRequest request, BatchReader::Options reading);
  absl::Status Read(BatchReader* reader);

  JobClient* const client_;
  BatchCanceller* const canceller_;
  const Listener listener_;
  Interrupt submitting_;

  absl::Mutex mutex_;
  std::shared_ptr<BatchReader> reader_ ABSL_GUARDED_BY(mutex_);
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace jobrunner::client
