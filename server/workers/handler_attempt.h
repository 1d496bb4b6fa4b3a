#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/attempt.h"
#include "engine/executor.h"
#include "workers/handler.h"
#include "workers/numbered_assignment.h"

namespace jobrunner::workers {

// One attempt at a handler's job: the context that the handler sees, and the turning of what the
// handler does into an outcome. Run is called once; RequestStop by any thread.
class HandlerAttempt final : public HandlerContext {
 public:
  // `handler` may be null: then Run fails. The sink and the logger outlive the attempt, or the
  // attempt is abandoned before they end.
  HandlerAttempt(NumberedAssignment work, std::shared_ptr<Handler> handler,
                 engine::AttemptSink* sink, base::Logger* logger);
  ~HandlerAttempt() override;

  const engine::AttemptToken& token() const { return assignment_.token; }

  // Blocks as long as the handler does. Does not throw. The run time is for the caller to fill in.
  engine::Outcome Run(base::SteadyTime start);

  // The outcome of an attempt that ends at `now` without its handler's word: CANCELLED.
  engine::Outcome EndedWithout(std::string reason, base::SteadyTime now) const;

  // Marks the attempt as asked to stop. Whoever called must then request the stop of the source, if
  // there is one, holding no lock, since that calls the handler's stop callbacks.
  std::optional<std::stop_source> MarkStopped();

  // From here on nothing that the handler says is passed on. Any thread.
  void Silence();

  std::string_view payload() const override { return call().payload(); }
  std::string_view content_type() const override { return call().content_type(); }
  std::string_view batch_id() const override { return assignment_.batch_id(); }
  int32_t job_index() const override { return assignment_.index; }
  std::string_view job_key() const override { return assignment_.job().key(); }
  int32_t attempt() const override { return assignment_.attempt; }
  std::stop_token stop_token() override;
  bool stop_requested() const override { return stop_requested_.load(std::memory_order_acquire); }
  base::SteadyTime deadline() const override { return assignment_.deadline; }
  base::Logger& logger() override;
  void Progress(double fraction, std::string_view message) override;
  void Write(std::string_view output) override;
  void WriteError(std::string_view error_output) override;

 private:
  class PrefixedLogger;

  const v1::HandlerCall& call() const { return assignment_.job().handler(); }
  HandlerResult CallHandler();
  engine::Outcome BareOutcome() const;
  engine::Outcome Succeeded(std::string output);
  engine::Outcome Failed(engine::Failure failure);
  std::string TakeWritten();
  // What of `text` still fits below the cap, of which so much is used; counts it.
  std::string_view Admit(std::string_view text, int64_t* used)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const engine::Assignment assignment_;
  const int32_t worker_;
  const std::shared_ptr<Handler> handler_;
  base::Logger* const base_logger_;

  std::atomic<bool> stop_requested_{false};
  // SteadyTime::max() before it began.
  std::atomic<base::SteadyTime> started_{base::SteadyTime::max()};

  absl::Mutex mutex_;
  // Null once silenced.
  engine::AttemptSink* sink_ ABSL_GUARDED_BY(mutex_);
  // Made when the handler first asks for its token, since it allocates.
  std::optional<std::stop_source> stop_source_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<PrefixedLogger> logger_ ABSL_GUARDED_BY(mutex_);
  // What Write was given and the outcome will have; empty when it is streamed.
  std::string written_ ABSL_GUARDED_BY(mutex_);
  int64_t written_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t error_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // Something was written past the cap and dropped.
  bool truncated_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace jobrunner::workers
