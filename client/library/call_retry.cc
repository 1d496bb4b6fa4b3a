#include "client/library/call_retry.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/library/call_error.h"

namespace jobrunner::client {
namespace {

constexpr absl::Duration kAskedDelayMax = absl::Seconds(30);

// What the server asks for before the next try, within reason.
absl::Duration AskedDelay(const absl::Status& status) {
  const absl::Duration delay = RetryDelay(status);
  return delay <= kAskedDelayMax ? delay : absl::ZeroDuration();
}

absl::Status Stopped() { return absl::CancelledError("stopped"); }

}  // namespace

CallRetry::CallRetry(RetryLimits limits, const CallOptions& call)
    : limits_(limits),
      timeout_(call.timeout),
      stop_(call.stop),
      backoff_(limits),
      on_stop_(stop_, [this] { interrupt_.Fire(); }) {}

absl::Status CallRetry::AwaitNext(const absl::Status& failed) {
  if (stop_.stop_requested()) return Stopped();
  if (absl::IsDeadlineExceeded(failed)) return TimedOut(failed);
  if (!MayRetryCall(failed)) return failed;
  const absl::Duration wait = backoff_.AfterFailure(std::chrono::steady_clock::now());
  if (wait == absl::InfiniteDuration()) return GivenUp(failed);
  // Waits also where it is not long enough for another try: the server is away, and not refusing.
  if (!interrupt_.Sleep(std::min(std::max(wait, AskedDelay(failed)), TimeLeft()))) {
    return Stopped();
  }
  return TimeLeft() > absl::ZeroDuration() ? absl::OkStatus() : TimedOut(failed);
}

absl::Status CallRetry::TimedOut(const absl::Status& failed) const {
  // A bound that is not the caller's.
  if (timeout_.whole() == absl::InfiniteDuration()) return failed;
  return WithMessage(failed, absl::StatusCode::kDeadlineExceeded,
                     absl::StrCat("the call's timeout has passed: ", failed.message()));
}

absl::Status CallRetry::GivenUp(const absl::Status& failed) const {
  if (limits_.patience <= absl::ZeroDuration()) return failed;
  return WithMessage(failed, failed.code(),
                     absl::StrCat("given up after ", absl::FormatDuration(limits_.patience), ": ",
                                  failed.message()));
}

}  // namespace jobrunner::client
