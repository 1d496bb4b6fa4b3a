#include "workers/command_attempt.h"

#include <sys/wait.h>

#include <chrono>
#include <utility>

#include "workers/command_failure.h"
#include "workers/memory_file.h"

namespace jobrunner::workers {

CommandAttempt::CommandAttempt(NumberedAssignment work, int64_t output_bytes_max)
    : assignment_(std::move(work.assignment)),
      worker_(work.worker),
      output_(output_bytes_max, assignment_.stream_output),
      error_output_(output_bytes_max, assignment_.stream_output) {}

bool CommandAttempt::OpenFiles(SpawnOrder* order) {
  order->output = output_.Open();
  order->error_output = error_output_.Open();
  if (!order->output.is_open() || !order->error_output.is_open()) return false;
  if (command().stdin().empty()) return true;
  order->input = MakeMemoryFile("standard-input", command().stdin());
  return order->input.is_open();
}

size_t CommandAttempt::gathered_bytes() const {
  return output_.gathered_bytes() + error_output_.gathered_bytes();
}

engine::OutputChunk CommandAttempt::TakeChunk() {
  engine::OutputChunk chunk;
  chunk.token = token();
  chunk.output = output_.TakeGathered(&chunk.truncated);
  chunk.error_output = error_output_.TakeGathered(&chunk.truncated);
  return chunk;
}

engine::Outcome CommandAttempt::Begun() {
  engine::Outcome outcome;
  outcome.token = token();
  outcome.worker = worker_;
  outcome.command = std::make_unique<engine::CommandOutcome>();
  return outcome;
}

void CommandAttempt::FinishOutputs() {
  output_.Finish();
  error_output_.Finish();
}

engine::Outcome CommandAttempt::Ended(const SpawnReport& report) {
  engine::Outcome outcome = Begun();
  outcome.run_time = std::chrono::nanoseconds(report.run_ns);
  outcome.failure = ExitFailure(report);
  outcome.output = output_.TakeKept();
  engine::CommandOutcome& command = *outcome.command;
  command.error_output = error_output_.TakeKept();
  if (WIFEXITED(report.wait_status)) command.exit_code = WEXITSTATUS(report.wait_status);
  if (WIFSIGNALED(report.wait_status)) command.signal = WTERMSIG(report.wait_status);
  command.output_bytes = output_.bytes();
  command.error_output_bytes = error_output_.bytes();
  command.output_omitted = output_.omitted();
  command.error_output_omitted = error_output_.omitted();
  command.user_time = std::chrono::microseconds(report.user_us);
  command.system_time = std::chrono::microseconds(report.system_us);
  command.max_resident_bytes = report.max_resident_kib * 1024;
  return outcome;
}

engine::Outcome CommandAttempt::EndedWith(engine::Failure failure) {
  engine::Outcome outcome = Begun();
  outcome.failure = std::make_unique<engine::Failure>(std::move(failure));
  return outcome;
}

}  // namespace jobrunner::workers
