// What a World's engine is told.

#include <utility>
#include <vector>

#include "engine/submission.h"
#include "simulation/world.h"

namespace jobrunner::simulation {

void World::TellOutcome(engine::Outcome outcome) {
  if (chance_.Of(0.3)) {
    std::vector<engine::Outcome> many;
    many.push_back(std::move(outcome));
    Tell(std::move(many));
  } else {
    Tell(std::move(outcome));
  }
}

void World::TellSubmit(std::unique_ptr<engine::Submission> submission, v1::BatchSpec spec,
                       std::function<void(absl::StatusOr<v1::Batch>, bool)> reply) {
  Submitted& submitted = submitted_[submission->batch_id];
  const std::string queue = spec.queue().empty() ? engine::kDefaultQueue : spec.queue();
  submitted.queue_defaults = queues_[queue].settings.job_defaults;
  submitted.spec = std::move(spec);
  submitted.call_deadline = submission->call_deadline;
  if (options_.durable && !submission->request_id.empty()) {
    submission->looked_up_at = timeline_.now().steady;
    submission->known = store_.Known(submission->request_id);
  }
  Tell(engine::Submit{std::move(submission), std::move(reply)});
}

CancelMoment World::MomentOf(const BatchChecker& checker, int32_t index) const {
  const v1::JobState state = checker.fold().Job(index).state;
  if (state == v1::JOB_STATE_QUEUED) return CancelMoment::kQueued;
  if (state == v1::JOB_STATE_RETRYING) return CancelMoment::kRetrying;
  if (state != v1::JOB_STATE_RUNNING) return CancelMoment::kEnded;
  if (!checker.HasBegun(index)) return CancelMoment::kHeld;
  for (const auto& [number, ending] : endings_) {
    if (ending.checker == &checker && ending.index == index) return CancelMoment::kFinishing;
  }
  const bool is_due =
      checker.StopTime(index, checker.RecordedStart(index)) <= timeline_.now().steady;
  return is_due ? CancelMoment::kDeadlineFiring : CancelMoment::kRunning;
}

void World::CountMoments(const engine::Cancel& cancel) {
  const BatchChecker& checker = *checkers_.at(cancel.batch_id);
  for (const int32_t index : cancel.indexes) cancel_moments_.Count(MomentOf(checker, index));
  if (!cancel.indexes.empty()) return;
  for (int32_t index = 0; index < checker.fold().job_count(); ++index) {
    cancel_moments_.Count(MomentOf(checker, index));
  }
}

void World::Stage(engine::Write write) {
  store_.Commit({std::move(write)}, engine::Sync::kNow, [this] { ++stagings_done_; });
}

void World::TellCancel(engine::Cancel cancel) {
  CountMoments(cancel);
  Interventions& interventions = checkers_.at(cancel.batch_id)->interventions;
  if (cancel.indexes.empty()) interventions.cancelled = true;
  interventions.jobs_cancelled.insert(cancel.indexes.begin(), cancel.indexes.end());
  if (!Fires(Fault::kCancelIgnored)) Tell(std::move(cancel));
}

void World::TellResize(engine::PoolBounds bounds) {
  pool_max_ = bounds.max;
  Tell(engine::ResizePool{bounds, nullptr});
}

void World::TellReconfigure(std::vector<engine::QueueSettings> queues) {
  queues_[engine::kDefaultQueue].settings = engine::QueueSettings();
  for (const engine::QueueSettings& queue : queues) queues_[queue.name].settings = queue;
  Tell(engine::ReconfigureQueues{std::move(queues)});
}

void World::TellPause(const std::string& queue, bool paused) {
  queues_[queue].paused = paused;
  Tell(engine::PauseQueue{queue, paused, [](absl::Status) {}});
}

void World::TellDrain(std::chrono::nanoseconds grace) {
  drain_told_ = timeline_.now().steady;
  drain_grace_ = grace;
  for (const auto& [id, checker] : checkers_) checker->interventions.draining = true;
  Tell(engine::Drain{grace, [this] { Drained(); }});
}

}  // namespace jobrunner::simulation
