#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "client/backoff.h"
#include "client/interrupt.h"
#include "client/job_client.h"

namespace jobrunner::client {

// Reads the event log of a batch to its end, in order, each event once: a stream that breaks is
// taken up again after the last event that was seen. One thread reads; Cancel may be called from
// any.
class BatchReader {
 public:
  struct Options {
    std::string batch_id;
    int64_t after_sequence = 0;
    // Otherwise only what there is.
    bool follow = true;
    // v1::EventKind; empty: all.
    std::vector<int> kinds;
    bool cancel_on_disconnect = false;
    // How long a broken stream is tried again without a single event.
    Backoff::Limits backoff;
  };

  // `client` outlives the reader.
  BatchReader(JobClient* client, Options options);
  ~BatchReader();

  // Blocks for the next events; none at the end of the log. Errors: those of the server that do not
  // pass (NOT_FOUND); UNAVAILABLE once patience has run out; DATA_LOSS when the server left out an
  // event; CANCELLED after Cancel.
  absl::StatusOr<std::optional<v1::StreamResultsResponse>> Next();

  void Cancel();

  // Of the last event that Next returned.
  int64_t last_sequence() const { return options_.after_sequence; }

 private:
  void Open();
  absl::Status Close();
  // Waits before the next try; the error when there is none.
  absl::Status AwaitRetry(const absl::Status& broken);
  // Drops what was seen before, and notes what is new.
  absl::Status Advance(v1::StreamResultsResponse* response);

  JobClient* const client_;
  Options options_;
  Backoff backoff_;
  bool finished_ = false;

  Interrupt cancelled_;
  absl::Mutex mutex_;
  // Held while Read blocks in it, so that Cancel can reach it; replaced by the reading thread
  // alone.
  std::shared_ptr<ResultStream> stream_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobrunner::client
