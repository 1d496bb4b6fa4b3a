// The interface of handlers: named code that performs jobs in this process. Programs that embed
// jobrunner implement it.

#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/logging.h"

namespace jobrunner::workers {

// Why a handler could not do its job.
struct HandlerError {
  std::string message = {};
  // A google.rpc.Code, 1 to 16. UNKNOWN unless set.
  int32_t code = 2;
  // False: trying again is of no use, whatever the job's retry policy says.
  bool retryable = true;
  // The whole batch makes no sense any more: the job is not retried and the batch is cancelled.
  bool critical = false;
};

// The job's output, or the error. `return "done";` and `return HandlerError{.message = "…"};` both
// do. Output has at most kHandlerOutputBytesMax bytes, what was written included.
using HandlerResult = std::variant<std::string, HandlerError>;

inline constexpr int64_t kHandlerOutputBytesMax = 1 << 20;

// What a handler knows of the attempt that it performs, and how it speaks while it does. Belongs to
// one call of Handler::Run and must not be used after it. Any thread may call it, none blocks.
class HandlerContext {
 public:
  virtual ~HandlerContext() = default;

  virtual std::string_view payload() const = 0;
  virtual std::string_view content_type() const = 0;
  virtual std::string_view batch_id() const = 0;
  // Of the job in its batch, from 0.
  virtual int32_t job_index() const = 0;
  // Empty when the client gave none.
  virtual std::string_view job_key() const = 0;
  // From 1.
  virtual int32_t attempt() const = 0;

  // Asks for a stop when the attempt is cancelled or its time is over. Who does not return within
  // the grace period is abandoned: the job ends, what is returned later is dropped.
  virtual std::stop_token stop_token() = 0;
  // As stop_token().stop_requested(), and cheaper.
  virtual bool stop_requested() const = 0;
  // When the attempt will be stopped at the latest; SteadyTime::max() when nothing bounds it.
  virtual base::SteadyTime deadline() const = 0;

  // Names the attempt in front of each message.
  virtual base::Logger& logger() = 0;
  // Says how far the work is: `fraction` from 0 to 1.
  virtual void Progress(double fraction, std::string_view message) = 0;
  // Writes output before the end. Jobs with stream_output show it at once; for others it stands in
  // front of what Run returns.
  virtual void Write(std::string_view output) = 0;
  // The same for the error output, which only jobs with stream_output show: for others it is
  // dropped.
  virtual void WriteError(std::string_view error_output) = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;

  // Performs one attempt, on a thread that may block. Called by many threads at once. An exception
  // that leaves it is an error with the exception's text.
  virtual HandlerResult Run(HandlerContext& context) = 0;

  // Whether Run only ever computes, for microseconds. Attempts at such handlers run one after
  // another on one thread and are reported many at once, which costs a fraction; they cannot be
  // stopped. The same answer at each call.
  virtual bool never_blocks() const { return false; }
};

// A handler that is only a function.
using HandlerFunction = std::function<HandlerResult(HandlerContext& context)>;

}  // namespace jobrunner::workers
