#include "worker/attempt_messages.h"

#include <utility>

#include "engine/limits.h"
#include "engine/proto_time.h"
#include "engine/violations.h"

namespace jobrunner::worker {

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
        v1::HandlerCall& call = *assignment.mutable_handler();
        job->mutable_handler()->set_name(std::move(*call.mutable_name()));
        job->mutable_handler()->set_payload(std::move(*call.mutable_payload()));
        job->mutable_handler()->set_content_type(std::move(*call.mutable_content_type()));
      });
  return taken;
}

v1::AttemptOutcome TakeOutcome(engine::Outcome& outcome) {
  v1::AttemptOutcome taken;
  taken.set_output(std::move(outcome.output));
  *taken.mutable_run_time() = engine::ToDuration(outcome.run_time);
  if (outcome.failure == nullptr) return taken;
  v1::AttemptFailure& failure = *taken.mutable_failure();
  failure.set_code(outcome.failure->code);
  failure.set_message(
      std::string(engine::CutText(outcome.failure->message, engine::kErrorMessageBytesMax)));
  failure.set_final(outcome.failure->final);
  failure.set_critical(outcome.failure->critical);
  return taken;
}

}  // namespace jobrunner::worker
