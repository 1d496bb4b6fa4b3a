#include "workers/handler_attempt.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"

namespace jobrunner::workers {
namespace {

constexpr int kCancelled = 1;
constexpr int kUnknown = 2;
constexpr int kResourceExhausted = 8;
constexpr int kUnimplemented = 12;

engine::Failure FailureOf(HandlerError error) {
  engine::Failure failure;
  // A code out of range would name nothing.
  failure.code = error.code >= 1 && error.code <= 16 ? error.code : kUnknown;
  failure.message = std::move(error.message);
  failure.critical = error.critical;
  failure.final = !error.retryable;
  return failure;
}

}  // namespace

class HandlerAttempt::PrefixedLogger final : public base::Logger {
 public:
  PrefixedLogger(base::Logger* logger, std::string prefix)
      : logger_(*logger), prefix_(std::move(prefix)) {}

  bool Enabled(base::LogLevel level) const override { return logger_.Enabled(level); }
  void Log(base::LogLevel level, std::string_view message) override {
    logger_.Log(level, absl::StrCat(prefix_, absl::string_view(message.data(), message.size())));
  }

 private:
  base::Logger& logger_;
  const std::string prefix_;
};

HandlerAttempt::HandlerAttempt(NumberedAssignment work, std::shared_ptr<Handler> handler,
                               engine::AttemptSink* sink, base::Logger* logger)
    : assignment_(std::move(work.assignment)),
      worker_(work.worker),
      handler_(std::move(handler)),
      base_logger_(logger),
      sink_(sink) {}

HandlerAttempt::~HandlerAttempt() = default;

engine::Outcome HandlerAttempt::Run(base::SteadyTime start) {
  started_.store(start, std::memory_order_relaxed);
  if (stop_requested()) return EndedWithout("was stopped before it began", start);
  if (handler_ == nullptr) {
    return Failed({.code = kUnimplemented,
                   .message = absl::StrCat("there is no handler \"", call().name(), "\" here"),
                   .final = true});
  }
  HandlerResult result = CallHandler();
  if (auto* error = std::get_if<HandlerError>(&result)) return Failed(FailureOf(std::move(*error)));
  return Succeeded(std::get<std::string>(std::move(result)));
}

HandlerResult HandlerAttempt::CallHandler() {
  try {
    return handler_->Run(*this);
  } catch (const std::exception& exception) {
    return HandlerError{.message = absl::StrCat("threw an exception: ", exception.what())};
  } catch (...) {
    return HandlerError{.message = "threw something that is no std::exception"};
  }
}

engine::Outcome HandlerAttempt::BareOutcome() const {
  engine::Outcome outcome;
  outcome.token = assignment_.token;
  outcome.worker = worker_;
  return outcome;
}

engine::Outcome HandlerAttempt::EndedWithout(std::string reason, base::SteadyTime now) const {
  engine::Outcome outcome = BareOutcome();
  outcome.run_time = now - std::min(now, started_.load(std::memory_order_relaxed));
  outcome.failure = std::make_unique<engine::Failure>();
  outcome.failure->code = kCancelled;
  outcome.failure->message = std::move(reason);
  return outcome;
}

engine::Outcome HandlerAttempt::Failed(engine::Failure failure) {
  engine::Outcome outcome = BareOutcome();
  outcome.output = TakeWritten();
  outcome.failure = std::make_unique<engine::Failure>(std::move(failure));
  return outcome;
}

engine::Outcome HandlerAttempt::Succeeded(std::string output) {
  std::string written = TakeWritten();
  if (!written.empty()) output.insert(0, written);
  if (static_cast<int64_t>(output.size()) > kHandlerOutputBytesMax) {
    return Failed({.code = kResourceExhausted,
                   .message = absl::StrCat("returned ", output.size(), " bytes, more than ",
                                           kHandlerOutputBytesMax),
                   .final = true});
  }
  engine::Outcome outcome = BareOutcome();
  outcome.output = std::move(output);
  return outcome;
}

std::string HandlerAttempt::TakeWritten() {
  absl::MutexLock lock(&mutex_);
  return std::move(written_);
}

std::optional<std::stop_source> HandlerAttempt::MarkStopped() {
  stop_requested_.store(true, std::memory_order_release);
  absl::MutexLock lock(&mutex_);
  return stop_source_;
}

void HandlerAttempt::Silence() {
  absl::MutexLock lock(&mutex_);
  sink_ = nullptr;
}

std::stop_token HandlerAttempt::stop_token() {
  std::stop_source source(std::nostopstate);
  {
    absl::MutexLock lock(&mutex_);
    if (!stop_source_.has_value()) stop_source_.emplace();
    source = *stop_source_;
  }
  // MarkStopped came first and found no source to hand out.
  if (stop_requested()) source.request_stop();
  return source.get_token();
}

base::Logger& HandlerAttempt::logger() {
  absl::MutexLock lock(&mutex_);
  if (logger_ == nullptr) {
    logger_ = std::make_unique<PrefixedLogger>(
        base_logger_, absl::StrCat(call().name(), ": batch ", assignment_.jobs->batch_id(), " job ",
                                   assignment_.index, " attempt ", assignment_.attempt, ": "));
  }
  return *logger_;
}

void HandlerAttempt::Progress(double fraction, std::string_view message) {
  const double bounded = std::isnan(fraction) ? 0 : std::clamp(fraction, 0.0, 1.0);
  absl::MutexLock lock(&mutex_);
  if (sink_ == nullptr) return;
  sink_->Progressed({.token = token(), .fraction = bounded, .message = std::string(message)});
}

std::string_view HandlerAttempt::Admit(std::string_view text, int64_t* used) {
  const std::string_view admitted = text.substr(0, kHandlerOutputBytesMax - *used);
  *used += static_cast<int64_t>(admitted.size());
  truncated_ = admitted.size() < text.size();
  return admitted;
}

void HandlerAttempt::Write(std::string_view output) {
  absl::MutexLock lock(&mutex_);
  if (sink_ == nullptr || truncated_ || output.empty()) return;
  const std::string_view admitted = Admit(output, &written_bytes_);
  if (!assignment_.stream_output) {
    written_.append(admitted);
    return;
  }
  sink_->Wrote({.token = token(),
                .output = std::string(admitted),
                .error_output = {},
                .truncated = truncated_});
}

void HandlerAttempt::WriteError(std::string_view error_output) {
  absl::MutexLock lock(&mutex_);
  if (sink_ == nullptr || truncated_ || error_output.empty() || !assignment_.stream_output) return;
  const std::string_view admitted = Admit(error_output, &error_bytes_);
  sink_->Wrote({.token = token(),
                .output = {},
                .error_output = std::string(admitted),
                .truncated = truncated_});
}

}  // namespace jobrunner::workers
