#include "embedded/local_runner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "base/check.h"
#include "base/prng.h"
#include "base/status_macros.h"
#include "embedded/log_cursor.h"
#include "engine/engine.h"
#include "engine/submission.h"
#include "engine/validation.h"

namespace jobrunner::embedded {
namespace {

engine::EngineOptions MakeEngineOptions(const LocalRunnerOptions& options) {
  engine::EngineOptions engine;
  engine.seed = base::RandomSeed();
  engine.pool = {.min = 0, .max = options.workers_max};
  engine.queues = options.queues;
  return engine;
}

// An answer that the engine's thread gives to a thread that waits for it.
template <class T>
class Answer {
 public:
  void Give(T value) {
    value_ = std::move(value);
    given_.Notify();
  }
  T Await() {
    given_.WaitForNotification();
    return std::move(value_);
  }

 private:
  T value_;
  absl::Notification given_;
};
using BatchAnswer = Answer<absl::StatusOr<v1::Batch>>;

absl::Status Refusal(const engine::Violations& violations) {
  if (violations.empty()) return absl::OkStatus();
  const engine::Violation& first = violations.kept().front();
  std::string message = absl::StrCat(first.field, ": ", first.description);
  if (violations.count() > 1) {
    absl::StrAppend(&message, " (and ", violations.count() - 1, " more)");
  }
  return violations.only_denied() ? absl::PermissionDeniedError(message)
                                  : absl::InvalidArgumentError(message);
}

}  // namespace

absl::StatusOr<std::unique_ptr<LocalRunner>> LocalRunner::Start(workers::HandlerRegistry handlers,
                                                                LocalRunnerOptions options) {
  if (options.workers_max < 1 || options.workers_max > engine::kWorkersMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("workers_max: must be 1 to ", engine::kWorkersMax));
  }
  std::unique_ptr<LocalRunner> runner(new LocalRunner(std::move(handlers), std::move(options)));
  RETURN_IF_ERROR(runner->StartPool());
  return runner;
}

LocalRunner::LocalRunner(workers::HandlerRegistry handlers, LocalRunnerOptions options)
    : options_(std::move(options)),
      handlers_(std::move(handlers)),
      catalog_(&handlers_, &options_.commands),
      logger_(options_.logger == nullptr ? &null_logger_ : options_.logger),
      engine_(MakeEngineOptions(options_),
              {.clock = &clock_,
               .store = &store_,
               .logs = &logs_,
               .logger = logger_,
               .listeners = options_.listeners,
               // The memory store does not fail.
               .failed = [](const absl::Status& status) { JOBRUNNER_CHECK(status.ok()); }}) {}

absl::Status LocalRunner::StartPool() {
  const workers::WorkerPool::Environment environment{
      .handlers = &handlers_, .commands = &options_.commands, .clock = &clock_, .logger = logger_};
  ASSIGN_OR_RETURN(pool_, workers::WorkerPool::Create({.min = 0, .max = options_.workers_max},
                                                      environment, &engine_));
  engine_.Start(pool_.get());
  return absl::OkStatus();
}

LocalRunner::~LocalRunner() {
  if (pool_ != nullptr) Drain(std::chrono::nanoseconds(0));
  engine_.Stop();
}

absl::StatusOr<v1::Batch> LocalRunner::Submit(const v1::BatchSpec& spec) {
  ASSIGN_OR_RETURN(auto submission, Check(spec));
  BatchAnswer answer;
  engine_.Tell(engine::Submit{
      std::move(submission),
      [&](absl::StatusOr<v1::Batch> batch, bool /*replayed*/) { answer.Give(std::move(batch)); }});
  return answer.Await();
}

absl::StatusOr<std::unique_ptr<engine::Submission>> LocalRunner::Check(const v1::BatchSpec& spec) {
  const engine::ValidationLimits limits;
  engine::Violations violations;
  engine::BatchValidator validator("batch", limits, catalog_, &violations);
  validator.CheckSpec(spec);
  ASSIGN_OR_RETURN(
      engine::Submission submission,
      engine::MakeSubmission(engine_.NewBatchId(), spec, [&](int32_t position, const v1::Job& job) {
        validator.CheckJob(position, job);
      }));
  validator.CheckCount(submission.job_count);
  RETURN_IF_ERROR(Refusal(violations));
  return std::make_unique<engine::Submission>(std::move(submission));
}

absl::StatusOr<v1::Batch> LocalRunner::Follow(const std::string& batch_id, int64_t after_sequence,
                                              const ShowEvent& show) {
  LogCursor cursor(&store_, &logs_, batch_id, after_sequence);
  for (;;) {
    ASSIGN_OR_RETURN(const engine::LogPage page, cursor.Next());
    if (page.segments.empty()) return GetBatch(batch_id);
    for (const auto& segment : page.segments) {
      const int64_t first = std::max(segment->first_sequence(), after_sequence + 1);
      for (int64_t sequence = first; sequence <= segment->last_sequence(); ++sequence) {
        show(segment->EventAt(sequence));
      }
    }
  }
}

absl::StatusOr<v1::Batch> LocalRunner::Run(const v1::BatchSpec& spec, const ShowEvent& show) {
  ASSIGN_OR_RETURN(const v1::Batch batch, Submit(spec));
  return Follow(batch.id(), 0, show);
}

absl::StatusOr<v1::Batch> LocalRunner::Cancel(const std::string& batch_id, std::string_view message,
                                              std::chrono::nanoseconds grace) {
  BatchAnswer answer;
  engine::Cancel cancel;
  cancel.batch_id = batch_id;
  cancel.message = std::string(message);
  cancel.grace = grace;
  cancel.reply = [&](absl::StatusOr<v1::Batch> batch) { answer.Give(std::move(batch)); };
  engine_.Tell(std::move(cancel));
  return answer.Await();
}

absl::StatusOr<v1::Batch> LocalRunner::GetBatch(const std::string& batch_id) {
  BatchAnswer answer;
  engine_.Tell(engine::Query{[&](const engine::Engine& engine) {
    return [&answer, batch = engine.DescribeBatch(batch_id)] { answer.Give(batch); };
  }});
  return answer.Await();
}

void LocalRunner::Drain(std::chrono::nanoseconds grace) {
  absl::Notification drained;
  engine_.Tell(engine::Drain{grace, [&] { drained.Notify(); }});
  drained.WaitForNotification();
}

}  // namespace jobrunner::embedded
