#include "worker/attempt_messages.h"

#include <utility>

#include "base/utf8.h"
#include "engine/limits.h"
#include "engine/proto_time.h"

namespace jobrunner::worker {
namespace {

// Text by text: `to` lies in an arena, where a message would be copied.
void TakeCall(v1::HandlerCall& call, v1::HandlerCall* to) {
  to->set_name(std::move(*call.mutable_name()));
  to->set_payload(std::move(*call.mutable_payload()));
  to->set_content_type(std::move(*call.mutable_content_type()));
}

void TakeFailure(const engine::Failure& failure, v1::AttemptFailure* to) {
  to->set_code(failure.code);
  to->set_message(base::ValidUtf8(failure.message, engine::kErrorMessageBytesMax));
  to->set_final(failure.final);
  to->set_critical(failure.critical);
  to->set_reason(failure.reason);
}

void TakeCommand(engine::CommandOutcome& command, v1::CommandEnd* to) {
  to->set_error_output(std::move(command.error_output));
  to->set_exit_code(command.exit_code);
  to->set_signal(command.signal);
  to->set_output_bytes(command.output_bytes);
  to->set_error_output_bytes(command.error_output_bytes);
  to->set_output_omitted(command.output_omitted);
  to->set_error_output_omitted(command.error_output_omitted);
  *to->mutable_usage()->mutable_user_time() = engine::ToDuration(command.user_time);
  *to->mutable_usage()->mutable_system_time() = engine::ToDuration(command.system_time);
  to->mutable_usage()->set_max_resident_bytes(command.max_resident_bytes);
}

}  // namespace

engine::Assignment TakeAssignment(const engine::AttemptToken& token, v1::Assignment& assignment,
                                  base::Now now) {
  engine::Assignment taken;
  taken.token = token;
  taken.index = assignment.job_index();
  taken.attempt = assignment.attempt();
  taken.stream_output = assignment.stream_output();
  if (assignment.has_time_left()) {
    const auto left = engine::FromDuration(assignment.time_left());
    taken.deadline = engine::Later(now.steady, left);
    taken.wall_deadline = engine::Later(now.wall, left);
  }
  taken.jobs = engine::ShardJobs::OfOne(
      std::move(*assignment.mutable_batch_id()), taken.index, [&](v1::Job* job) {
        job->set_key(std::move(*assignment.mutable_job_key()));
        if (assignment.has_command()) {
          *job->mutable_command() = assignment.command();
          // This is where the pool is.
          job->mutable_command()->clear_pool();
        } else {
          TakeCall(*assignment.mutable_handler(), job->mutable_handler());
        }
      });
  return taken;
}

v1::AttemptOutcome TakeOutcome(engine::Outcome& outcome) {
  v1::AttemptOutcome taken;
  taken.set_output(std::move(outcome.output));
  *taken.mutable_run_time() = engine::ToDuration(outcome.run_time);
  if (outcome.failure != nullptr) TakeFailure(*outcome.failure, taken.mutable_failure());
  if (outcome.command != nullptr) TakeCommand(*outcome.command, taken.mutable_command());
  return taken;
}

}  // namespace jobrunner::worker
