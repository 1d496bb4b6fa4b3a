// What a World holds the engine to.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/proto_time.h"
#include "simulation/world.h"

namespace jobrunner::simulation {

using engine::Later;

void World::CheckStart(const engine::Assignment& assignment) {
  const std::string id(assignment.batch_id());
  BatchChecker& checker = *checkers_.at(id);
  const auto fresh = live_.try_emplace(assignment.token.number);
  Require(fresh.second, "an attempt is started once");
  if (!fresh.second) return;
  Live& live = fresh.first->second;
  live.token = assignment.token;
  live.batch_id = id;
  live.index = assignment.index;
  live.attempt = assignment.attempt;
  live.queue = checker.fold().header().spec.queue();
  live.at = assignment.at;
  if (live.at == engine::kOwnPool) ++live_in_pool_;
  checker.Began(assignment.index);
  live.stop_time = checker.StopTime(assignment.index, timeline_.now().steady);
  QueueModel& queue = queues_.at(live.queue);
  ++queue.running;
  const std::string name = absl::StrCat(id, " job ", assignment.index, ": ");
  Require(store_.Find(id) != nullptr, name + "what runs is stable");
  // What may start is decided when the start is recorded, which may have been before.
  if (checker.RecordedStart(assignment.index) == timeline_.now().steady) CheckMayStart(live, name);
  Require(!checker.interventions.cancelled &&
              !checker.interventions.jobs_cancelled.contains(assignment.index),
          name + "nothing starts after its cancel");
  Require(assignment.deadline == live.stop_time, name + "an assignment knows its deadline");
}

void World::CheckMayStart(const Live& live, const std::string& name) {
  const QueueModel& queue = queues_.at(live.queue);
  Require(!draining(), name + "nothing starts in a drain");
  Require(live.at != engine::kOwnPool ||
              live_in_pool_ + static_cast<int64_t>(lost_slots_.size()) <= pool_max_,
          name + "no more run than the pool has slots");
  Require(!queue.paused, name + "nothing of a paused queue starts");
  Require(queue.settings.max_running == 0 || queue.running <= queue.settings.max_running,
          name + "no more run than max_running of the queue");
}

void World::CheckWrites(const std::vector<engine::Write>& writes) {
  for (const engine::Write& write : writes) {
    if (!verdict_.failed()) CheckWrite(write);
  }
  // A store that the server's end empties is not told what the next server would tell.
  const bool may_be_untold = !options_.durable && draining();
  Require(told_ == to_be_told_ || (told_.empty() && may_be_untold),
          "an end is in one commit with what tells it, once, to who asked to be told");
  told_.clear();
  to_be_told_.clear();
}

void World::CheckWrite(const engine::Write& write) {
  if (const auto* remove = std::get_if<engine::Remove>(&write)) {
    CheckRemoval(remove->batch_id);
    return;
  }
  if (std::holds_alternative<engine::ForgetRequest>(write)) return;
  const auto& append = std::get<engine::Append>(write);
  if (const auto* accepted = std::get_if<engine::Accepted>(&append.record)) {
    Admit(append.batch_id, *accepted);
    return;
  }
  auto found = checkers_.find(append.batch_id);
  Require(found != checkers_.end(), "a record is of a batch that was accepted");
  if (found == checkers_.end()) return;
  const auto* changed = std::get_if<engine::Changed>(&append.record);
  if (remote() && changed != nullptr) CheckRemoteEnds(*found->second, *changed);
  const bool finished = found->second->finished();
  found->second->Check(timeline_.now(), append.record);
  if (finished || !found->second->finished()) return;
  --unfinished_batches_;
  if (!found->second->spec().finished_url().empty()) to_be_told_.insert(append.batch_id);
}

void World::Admit(const std::string& batch_id, const engine::Accepted& accepted) {
  if (!accepted.header->spec.parent_id().empty()) SubmitNotice(batch_id, accepted);
  auto submitted = submitted_.find(batch_id);
  Require(submitted != submitted_.end() && !checkers_.contains(batch_id),
          "what is accepted was submitted, once");
  if (verdict_.failed()) return;
  const auto lateness = Slack() + 4 * lag_;
  auto checker = std::make_unique<BatchChecker>(accepted, std::move(submitted->second.spec),
                                                submitted->second.queue_defaults,
                                                timeline_.now().steady, lateness, &verdict_);
  checker->interventions.call_deadline = submitted->second.call_deadline;
  checker->interventions.draining = draining();
  checker->interventions.durable = options_.durable && !accepted.header->bound_to_call;
  jobs_ += accepted.header->job_count;
  ++unfinished_batches_;
  submitted_.erase(submitted);
  checkers_[batch_id] = std::move(checker);
}

// What tells a batch's end is submitted by the engine itself.
void World::SubmitNotice(const std::string& batch_id, const engine::Accepted& accepted) {
  const std::string& parent = accepted.header->spec.parent_id();
  Require(told_.insert(parent).second && checkers_.contains(parent), "an end is told once");
  if (verdict_.failed()) return;
  Submitted& submitted = submitted_[batch_id];
  submitted.spec = accepted.header->spec;
  // A shard's bytes are a description that has jobs alone.
  submitted.spec.MergeFromString(*accepted.shards.at(0).bytes);
  const v1::HttpRequest& request = submitted.spec.jobs(0).http();
  Require(request.idempotency_key() == parent &&
              request.url() == CheckerOf(parent)->spec().finished_url() &&
              request.body().find(parent) != std::string::npos,
          "what tells an end says whose it is");
  submitted.queue_defaults = queues_[submitted.spec.queue()].settings.job_defaults;
}

void World::CheckRemoval(const std::string& batch_id) {
  auto found = checkers_.find(batch_id);
  Require(found != checkers_.end() && found->second->finished(), "only what finished is removed");
  if (verdict_.failed()) return;
  const v1::BatchSpec& spec = found->second->spec();
  const auto retention =
      spec.has_retention() ? engine::FromDuration(spec.retention()) : options_.retention;
  const bool room_needed =
      !options_.durable && options_.kept_bytes_max != engine::kMemoryStoreBytesDefault;
  // A durable store goes by the wall clock, which jumps, also between its look and the removal.
  const bool over = options_.durable
                        ? timeline_.latest_wall() >= found->second->fold().finish_time() + retention
                        : timeline_.now().steady >= found->second->finished_at() + retention;
  Require(room_needed || over,
          absl::StrCat(batch_id, ": a finished batch is kept for its retention"));
  removed_.insert(batch_id);
}

void World::CheckPublishes(const engine::Effects& effects) {
  const auto stable = [this](const std::string& id, int64_t sequence) {
    const engine::Batch* batch = store_.Find(id);
    return store_.WasRemoved(id) || (batch != nullptr && batch->last_sequence() >= sequence);
  };
  for (const engine::Publish& publish : effects.publishes) {
    Require(stable(publish.batch->id, publish.last_sequence),
            publish.batch->id + ": what is published is stable");
    int64_t& shown = shown_[publish.batch->id];
    shown = std::max(shown, publish.last_sequence);
  }
  for (const engine::Notice& notice : effects.notices) {
    Require(stable(notice.batch->id, notice.event.sequence()),
            notice.batch->id + ": what listeners hear of is stable");
  }
}

// The engine was called as late as it asked to be: what is due must not be older.
void World::CheckAwake() {
  const base::SteadyTime now = timeline_.now().steady;
  for (const auto& [number, live] : live_) {
    Require(live.stop_asked || Later(live.stop_time, lag_) >= now,
            absl::StrCat(live.batch_id, " job ", live.index,
                         ": the engine wakes when a deadline passes"));
  }
}

void World::CheckStops() {
  CheckLeases();
  for (const auto& [number, live] : live_) {
    if (live.stop_asked) continue;
    const std::string name = absl::StrCat(live.batch_id, " job ", live.index, ": ");
    const BatchChecker& checker = *checkers_.at(live.batch_id);
    Require(live.stop_time > timeline_.now().steady, name + "what runs is stopped at its deadline");
    Require(!checker.CancelRecorded(live.index), name + "what runs is stopped by its cancel");
    Require(!checker.interventions.cancelled &&
                !checker.interventions.jobs_cancelled.contains(live.index),
            name + "a cancel acts at once");
  }
}

void World::CheckFolds() {
  const auto known = KnownBatches();
  if (known.empty() || verdict_.failed()) return;
  const std::string id = chance_.OneOf(known);
  const engine::Batch& fold = checkers_.at(id)->fold();
  const engine::Batch* stored = store_.Find(id);
  if (options_.durable && stored != nullptr && stored->finished()) return;
  const auto described = engine_->DescribeBatch(id);
  Require(described.ok() && described->SerializeAsString() == fold.Describe().SerializeAsString(),
          id + ": a batch is the fold of its records");
  const auto index = static_cast<int32_t>(chance_.Between(0, fold.job_count() - 1));
  const auto job = engine_->DescribeJob(id, index);
  Require(job.ok() && job->status.state() == fold.StateSeen(index) &&
              job->result_sequence == fold.Job(index).result_sequence,
          absl::StrCat(id, " job ", index, ": a job is the fold of its records"));
  for (const auto& [name, queue] : engine_->CountAll().queues) {
    Require(queue.queued >= 0 && queue.running >= 0 && queue.retrying >= 0,
            name + ": no count is negative");
  }
}

void World::CheckEnd() {
  for (const auto& [id, checker] : checkers_) {
    if (removed_.contains(id)) continue;
    const engine::Batch* stored = store_.Find(id);
    Require(stored != nullptr && stored->Describe().SerializeAsString() ==
                                     checker->fold().Describe().SerializeAsString(),
            id + ": what is stored is what was written");
  }
  Require(engine_->CountAll().outcomes_refused == refused_, "each stale outcome is refused");
  Require(store_.staged() == 0, "nothing stays staged");
}

void World::CheckStatistics() {
  const engine::Statistics all = engine_->CountAll();
  for (const auto& [name, queue] : all.queues) {
    Require(queue.queued == 0 && queue.running == 0 && queue.retrying == 0,
            name + ": nothing is counted when nothing is left");
    const int64_t ended = queue.succeeded + queue.failed + queue.cancelled;
    Require(restarts_ > 0 || queue.accepted == ended, name + ": what was accepted has ended");
  }
  Require(all.batches_running == 0, "no batch is counted as running when all have finished");
  Require(all.slots_lost == static_cast<int64_t>(lost_slots_.size()), "lost slots are counted");
}

}  // namespace jobrunner::simulation
