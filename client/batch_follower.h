#pragma once

#include <functional>
#include <stop_token>
#include <thread>

#include "absl/status/status.h"
#include "client/library/client.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {

class BatchCanceller;

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
  BatchFollower(Client* client, BatchCanceller* canceller, v1::SubmitBatchRequest request,
                v1::StreamResultsRequest reading, Listener listener);

  // Waits for the thread: after on_end, or after Abandon.
  ~BatchFollower();

  // Gives up on a batch that no server has accepted so far; one that was accepted is read on.
  void StopSubmitting() { submitting_.request_stop(); }

  // Stops at once; on_end says CANCELLED.
  void Abandon();

 private:
  absl::Status Follow(v1::SubmitBatchRequest request, v1::StreamResultsRequest reading);
  absl::Status Read(BatchReader* reader);

  Client* const client_;
  BatchCanceller* const canceller_;
  const Listener listener_;
  std::stop_source submitting_;
  std::stop_source reading_;
  std::thread thread_;
};

}  // namespace jobrunner::client
