#pragma once

#include <functional>
#include <stop_token>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/library/backoff.h"
#include "client/library/call_options.h"
#include "client/library/call_timeout.h"
#include "client/library/interrupt.h"

namespace jobrunner::client {

// The tries of one call: whether there is another after a failed one, and the wait for it. For one
// thread; that the call is stopped may come from any.
class CallRetry {
 public:
  CallRetry(RetryLimits limits, const CallOptions& call);

  // Blocks until it is time to try again. Otherwise what the call ends with: the failure, if it
  // does not pass; DEADLINE_EXCEEDED; UNAVAILABLE or RESOURCE_EXHAUSTED once patience has run out;
  // CANCELLED when it was stopped.
  absl::Status AwaitNext(const absl::Status& failed);

  // The last try was worth something.
  void Progress() { backoff_.Progress(); }

  // For the next try; infinite if the call is not bounded.
  absl::Duration TimeLeft() const { return timeout_.Left(); }

 private:
  absl::Status TimedOut(const absl::Status& failed) const;
  absl::Status GivenUp(const absl::Status& failed) const;

  const RetryLimits limits_;
  const CallTimeout timeout_;
  const std::stop_token stop_;
  Backoff backoff_;
  Interrupt interrupt_;
  const std::stop_callback<std::function<void()>> on_stop_;
};

}  // namespace jobrunner::client
