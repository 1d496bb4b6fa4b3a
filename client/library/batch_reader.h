#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/library/call_options.h"
#include "client/library/call_retry.h"
#include "client/library/message_stream.h"
#include "client/library/retry_limits.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner {

// Reads the event log of a batch to its end, in order, each event once: a stream that breaks is
// taken up again after the last event that was seen, also by a server that was restarted. For one
// thread.
class BatchReader {
 public:
  using Stream = client::MessageStream<v1::StreamResultsResponse>;
  using Open = std::function<std::unique_ptr<Stream>(const v1::StreamResultsRequest& request,
                                                     absl::Duration timeout)>;

  // Clients make them: Client::Results. `open` has a call of at most that long ready to
  // begin; it does not block.
  BatchReader(Open open, v1::StreamResultsRequest request, RetryLimits limits,
              const CallOptions& call);
  // Ends the call that is open; of a request with cancel_on_disconnect, that cancels the batch.
  ~BatchReader();
  BatchReader(const BatchReader&) = delete;
  BatchReader& operator=(const BatchReader&) = delete;

  // Blocks for the next events, one or more; none at the end of the log. After an error the reading
  // has ended; another reader may go on after last_sequence(). Errors: those of the server that do
  // not pass (NOT_FOUND, also once the batch was removed); DEADLINE_EXCEEDED; CANCELLED when it was
  // stopped; UNAVAILABLE once patience has run out; DATA_LOSS when the server left out an event.
  absl::StatusOr<std::optional<v1::StreamResultsResponse>> Next();

  // Of the last event that Next returned.
  int64_t last_sequence() const { return request_.after_sequence(); }

 private:
  // The stream that is open, or a new one.
  std::shared_ptr<Stream> Opened() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Close() ABSL_LOCKS_EXCLUDED(mutex_);
  void Cancel() ABSL_LOCKS_EXCLUDED(mutex_);
  // Drops what was seen before, and notes what is new.
  absl::Status Advance(v1::StreamResultsResponse* response);

  const Open open_;
  const absl::Duration served_after_;
  const std::stop_token stop_;
  v1::StreamResultsRequest request_;
  client::CallRetry retry_;
  base::SteadyTime opened_at_;
  bool finished_ = false;

  absl::Mutex mutex_;
  // Held while Read blocks in it, so that Cancel can reach it; replaced by the reading thread
  // alone.
  std::shared_ptr<Stream> stream_ ABSL_GUARDED_BY(mutex_);

  // Calls Cancel, on whichever thread stops.
  const std::stop_callback<std::function<void()>> on_stop_;
};

}  // namespace jobrunner
